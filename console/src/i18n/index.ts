import i18next from "i18next";
import { initReactI18next } from "react-i18next";

// Every area keeps its texts beside its pages, in areas/NAME/en.json and
// zh.json; those that all share are in i18n/locales. A language is loaded when
// it is first shown.

export const languages = { en: "English", zh: "中文" } as const;
export type Language = keyof typeof languages;

/** What every area adds its texts to, so that keys are checked by the compiler. */
// biome-ignore lint/suspicious/noEmptyInterface: areas add to it
export interface Namespaces {}

const kept = "tollgate.language";
const files = {
  ...import.meta.glob<Record<string, unknown>>("../areas/*/{en,zh}.json", { import: "default" }),
  ...import.meta.glob<Record<string, unknown>>("./locales/*.json", { import: "default" }),
};

function load(language: string, namespace: string) {
  const path = namespace === "common" ? `./locales/${language}.json` : `../areas/${namespace}/${language}.json`;
  const file = files[path];
  if (!file) throw new Error(`no texts at ${path}`);
  return file();
}

function firstLanguage(): Language {
  const stored = localStorage.getItem(kept);
  if (stored === "en" || stored === "zh") return stored;
  return navigator.languages.find((tag) => /^(en|zh)/.test(tag))?.startsWith("zh") ? "zh" : "en";
}

function showLanguage(language: string) {
  document.documentElement.lang = language === "zh" ? "zh-CN" : language;
}

/** startTexts makes ready what the first page needs. */
export async function startTexts() {
  i18next.on("languageChanged", showLanguage);
  await i18next
    .use({
      type: "backend" as const,
      init() {},
      read(language: string, namespace: string, done: (error: unknown, texts: Record<string, unknown> | null) => void) {
        Promise.resolve()
          .then(() => load(language, namespace))
          .then(
            (texts) => done(null, texts),
            (error) => done(error, null),
          );
      },
    })
    .use(initReactI18next)
    .init({
      lng: firstLanguage(),
      fallbackLng: false,
      ns: ["common"],
      defaultNS: "common",
      interpolation: { escapeValue: false }, // React escapes
      react: { useSuspense: true },
    });
}

/** switchLanguage changes what is shown and remembers it. */
export async function switchLanguage(language: Language) {
  localStorage.setItem(kept, language);
  await i18next.changeLanguage(language);
}

/** localeOf is what Intl is told. */
export function localeOf(language: string): string {
  return language === "zh" ? "zh-CN" : "en-US";
}
