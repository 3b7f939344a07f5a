import { Tabs } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Page } from "@/ui/page";
import { About } from "./about";
import { Danger } from "./danger";
import { Process } from "./process";
import { type Tab, tabs } from "./search";

const route = getRouteApi("/_app/admin/system");

/** SystemPage is the gateway itself: how it was started, what it is, and how to begin anew. */
export function SystemPage() {
  const { t } = useTranslation("system");
  const { tab = "process" } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Page title={t("title")} lead={t("lead")}>
      <Tabs value={tab} onChange={(next) => void navigate({ search: { tab: next as Tab }, replace: true })} keepMounted={false}>
        <Tabs.List mb="lg">
          {tabs.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {t(`tabs.${name}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="process">
          <Process />
        </Tabs.Panel>
        <Tabs.Panel value="about">
          <About />
        </Tabs.Panel>
        <Tabs.Panel value="danger">
          <Danger />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
