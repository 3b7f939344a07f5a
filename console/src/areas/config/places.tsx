import { Badge, Button, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconBrandGithub, IconCloudShare, IconFolder, IconPlus, IconRefresh } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows } from "@/api/rows";
import type { Answer, Row } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { confirm } from "@/ui/confirm";
import { Empty } from "@/ui/empty";
import { Facts } from "@/ui/facts";
import { Card, PageSkeleton } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { RowMenu } from "@/ui/row-menu";
import { Status } from "@/ui/status";
import { Time } from "@/ui/time";
import { Working } from "@/ui/working";
import classes from "./config.module.css";
import { PlaceForm } from "./place-form";
import { PlaceVersions } from "./place-versions";
import { Pull } from "./pull";
import { Conflict, usePush } from "./push";

export type Place = Row<"/admin/config-sync/query">;

export const placesStale = ["/admin/config-sync"];
const signs = { folder: IconFolder, webdav: IconCloudShare, gist: IconBrandGithub };

/** Places are where the configuration is kept outside. */
export function Places() {
  const { t } = useTranslation("config");
  const list = useRows("/admin/config-sync/query", { sort: "name" }, { all: true });
  const [opened, form] = useDisclosure();
  const [editing, setEditing] = useState<Place | null>(null);
  const open = (place: Place | null) => {
    setEditing(place);
    form.open();
  };
  if (list.error) return <ProblemAlert error={list.error} retry={list.refetch} />;
  if (list.isPending) return <PageSkeleton />;
  const add = (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => open(null)}>
      {t("addPlace")}
    </Button>
  );
  return (
    <Stack gap="lg">
      {list.rows.length === 0 ? (
        <div className="card">
          <Empty icon={IconRefresh} title={t("noPlaces")} action={add}>
            {t("noPlacesBody")}
          </Empty>
        </div>
      ) : (
        <>
          <Group justify="space-between">
            <Text size="sm" c="dimmed" maw={620}>
              {t("placesLead")}
            </Text>
            {add}
          </Group>
          <SimpleGrid cols={{ base: 1, lg: 2 }}>
            {list.rows.map((place) => (
              <PlaceCard key={place.id} place={place} edit={() => open(place)} />
            ))}
          </SimpleGrid>
        </>
      )}
      <PlaceForm opened={opened} close={form.close} place={editing} />
    </Stack>
  );
}

function PlaceCard({ place, edit }: { place: Place; edit: () => void }) {
  const { t } = useTranslation("config");
  const { t: common } = useTranslation("common");
  const [versions, listing] = useDisclosure();
  const [pulled, setPulled] = useState<string | null>(null);
  const test = useAction("/admin/config-sync/test", { stale: [], quiet: true });
  const push = usePush(place);
  const remove = useAction("/admin/config-sync/delete", { stale: placesStale, done: t("placeDeleted") });
  const drop = async () => {
    const question = {
      title: t("deletePlaceTitle", { name: place.name }),
      body: t("deletePlaceBody"),
      confirm: common("delete"),
      danger: true,
    };
    if (await confirm(question)) remove.mutate({ id: place.id });
  };
  const Sign = signs[place.kind];
  return (
    <Card
      title={place.name}
      aside={
        <RowMenu
          name={place.name}
          items={[
            { label: t("versions"), run: listing.open },
            { label: common("edit"), run: edit },
            { label: common("delete"), run: () => void drop(), danger: true },
          ]}
        />
      }
    >
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <Sign size={18} stroke={1.6} aria-hidden style={{ flexShrink: 0, marginTop: 2 }} />
        <Stack gap={2} miw={0}>
          <Text size="sm">
            {t(`placeKinds.${place.kind}`)} {place.with_secrets && <Badge color="orange">{t("withSecretsBadge")}</Badge>}
          </Text>
          <span className={classes.location}>{place.kind === "gist" ? `${place.location} / ${place.file}` : place.location}</span>
        </Stack>
      </Group>
      <Facts
        facts={[
          [t("pushed"), <Time key="pushed" at={place.pushed_at} />],
          [t("pulled"), <Time key="pulled" at={place.pulled_at} />],
        ]}
      />
      {(push.busy || test.isPending) && <Working label={push.busy ? t("pushing") : t("testing")} />}
      {test.error && <ProblemAlert error={test.error} title={t("unreachable")} />}
      {test.data && !test.isPending && <Found found={test.data} />}
      {push.failure !== null && <ProblemAlert error={push.failure} />}
      <Group gap="sm">
        <Button variant="default" onClick={() => test.mutate({ id: place.id })} loading={test.isPending}>
          {t("test")}
        </Button>
        <Button variant="default" onClick={() => setPulled("")}>
          {t("pull")}
        </Button>
        <Button
          onClick={() => {
            test.reset();
            void push.run();
          }}
          loading={push.busy}
        >
          {t("push")}
        </Button>
      </Group>
      <Conflict
        place={place}
        conflict={push.conflict}
        close={push.settle}
        force={() => void push.run(true)}
        pull={() => {
          push.settle();
          setPulled("");
        }}
      />
      {versions && <PlaceVersions place={place} close={listing.close} pull={setPulled} />}
      {pulled !== null && <Pull place={place} version={pulled} close={() => setPulled(null)} />}
    </Card>
  );
}

/** Found is what a test saw at a place. */
function Found({ found }: { found: Answer<"/admin/config-sync/test"> }) {
  const { t } = useTranslation("config");
  const format = useFormat();
  const state = !found.there ? "vacant" : found.moved ? "movedThere" : "inStep";
  const tones = { vacant: "info", movedThere: "warn", inStep: "good" } as const;
  return (
    <Stack gap={4} role="status" align="flex-start">
      <Status tone={tones[state]}>{t(`found.${state}`)}</Status>
      <Text size="sm" c="dimmed">
        {t(`found.${state}Body`, { bytes: format.number(found.bytes) })} {found.encrypted && t("found.encrypted")}
      </Text>
    </Stack>
  );
}
