import "i18next";
import type common from "./locales/en.json";

declare module "@/i18n" {
  interface Namespaces {
    common: typeof common;
  }
}

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "common";
    resources: import("@/i18n").Namespaces;
    enableSelector: false;
  }
}
