import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { SignInProvider } from "@/api/session";

/** ProviderLinks are buttons that sign in through providers and come back to a path of this site. */
export function ProviderLinks({ list, to }: { list: SignInProvider[]; to: string }) {
  const { t } = useTranslation("common");
  return list.map(({ name, title }) => (
    <Button
      key={name}
      component="a"
      href={`/auth/sso/${encodeURIComponent(name)}/login?return_to=${encodeURIComponent(to)}`}
      variant="default"
      fullWidth
    >
      {t("continueWith", { provider: title })}
    </Button>
  ));
}
