import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Page } from "@/ui/page";
import { PageTabs } from "@/ui/page-tabs";
import { About } from "./about";
import { Danger } from "./danger";
import { Process } from "./process";
import { tabs } from "./search";

const route = getRouteApi("/_app/admin/system");

/** SystemPage is the gateway itself: how it was started, what it is, and how to begin anew. */
export function SystemPage() {
  const { t } = useTranslation("system");
  const { tab = "process" } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Page title={t("title")} lead={t("lead")}>
      <PageTabs
        tabs={tabs}
        tab={tab}
        name={(tab) => t(`tabs.${tab}`)}
        open={(tab) => void navigate({ search: { tab }, replace: true })}
        panels={{
          process: <Process />,
          about: <About />,
          danger: <Danger />,
        }}
      />
    </Page>
  );
}
