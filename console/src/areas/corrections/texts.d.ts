import type texts from "./en.json";

declare module "@/i18n" {
  interface Namespaces {
    corrections: typeof texts;
  }
}
