import { Button, Tabs } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDownload } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Page } from "@/ui/page";
import { Change } from "./change";
import { ExportDialog } from "./export";
import { History } from "./history";
import { Places } from "./places";
import { type Tab, tabs } from "./search";

const route = getRouteApi("/_app/admin/config/");

/** ConfigPage is the configuration as one document: change it by one, go back, keep it elsewhere. */
export function ConfigPage() {
  const { t } = useTranslation("config");
  const { tab = "change" } = route.useSearch();
  const navigate = route.useNavigate();
  const [exporting, exports] = useDisclosure();
  return (
    <Page
      title={t("title")}
      lead={t("lead")}
      actions={
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} onClick={exports.open}>
          {t("export")}
        </Button>
      }
    >
      <Tabs value={tab} onChange={(next) => void navigate({ search: { tab: next as Tab }, replace: true })} keepMounted={false}>
        <Tabs.List mb="lg">
          {tabs.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {t(`tabs.${name}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="change">
          <Change />
        </Tabs.Panel>
        <Tabs.Panel value="history">
          <History />
        </Tabs.Panel>
        <Tabs.Panel value="places">
          <Places />
        </Tabs.Panel>
      </Tabs>
      <ExportDialog opened={exporting} close={exports.close} />
    </Page>
  );
}
