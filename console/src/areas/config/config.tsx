import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDownload } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Page } from "@/ui/page";
import { PageTabs } from "@/ui/page-tabs";
import { Change } from "./change";
import { ExportDialog } from "./export";
import { History } from "./history";
import { Places } from "./places";
import { tabs } from "./search";

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
      <PageTabs
        tabs={tabs}
        tab={tab}
        name={(tab) => t(`tabs.${tab}`)}
        open={(tab) => void navigate({ search: { tab }, replace: true })}
        panels={{
          change: <Change />,
          history: <History />,
          places: <Places />,
        }}
      />
      <ExportDialog opened={exporting} close={exports.close} />
    </Page>
  );
}
