import { ActionIcon, Button, Fieldset, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useRows } from "@/api/rows";
import type { Schema } from "@/api/types";

/** Mapping is what members of a group get: "admin", or a team as "team:NAME". */
export interface Mapping {
  /** Tells rows apart while they are typed. */
  key: number;
  group: string;
  gives: string;
}

const teamPrefix = "team:";

/** mappingsOf reads mappings as the API has them; one that gives both becomes two. */
export function mappingsOf(roles: Partial<Schema<"GroupMapping">>[]): Mapping[] {
  return roles
    .flatMap(({ group = "", is_admin, team }) => [
      ...(is_admin ? [{ group, gives: "admin" }] : []),
      ...(team ? [{ group, gives: teamPrefix + team }] : []),
    ])
    .map((mapping, key) => ({ key, ...mapping }));
}

/** rolesOf is the inverse of mappingsOf; rows without a group are left out. */
export function rolesOf(mappings: Mapping[]) {
  return mappings
    .filter(({ group }) => group !== "")
    .map(({ group, gives }) =>
      gives.startsWith(teamPrefix) ? { group, team: gives.slice(teamPrefix.length) } : { group, is_admin: true },
    );
}

/** Mappings edits which group gives what. */
export function Mappings({ value, onChange }: { value: Mapping[]; onChange: (value: Mapping[]) => void }) {
  const { t } = useTranslation("sso");
  const teams = useRows("/admin/teams/query", { sort: "name" }, { pageSize: 1000, all: true });
  const data = [
    { value: "admin", label: t("givesAdmin") },
    ...teams.rows.map(({ name }) => ({ value: teamPrefix + name, label: t("givesTeam", { name }) })),
  ];
  const set = (key: number, change: Partial<Mapping>) => onChange(value.map((m) => (m.key === key ? { ...m, ...change } : m)));
  const add = () => onChange([...value, { key: Math.max(-1, ...value.map(({ key }) => key)) + 1, group: "", gives: "admin" }]);
  return (
    <Fieldset legend={t("groups")}>
      <Stack gap="sm">
        <Text size="xs" c="dimmed">
          {t("groupsHint")}
        </Text>
        {value.map(({ key, group, gives }) => (
          <Group key={key} gap="xs" wrap="nowrap" align="flex-end">
            <TextInput
              label={t("group")}
              value={group}
              onChange={(event) => set(key, { group: event.currentTarget.value })}
              flex={1}
            />
            <Select
              label={t("gives")}
              data={data.some((choice) => choice.value === gives) ? data : [...data, { value: gives, label: gives }]}
              value={gives}
              onChange={(next) => set(key, { gives: next ?? "admin" })}
              allowDeselect={false}
              flex={1}
            />
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={`${t("dropGroup")}: ${group}`}
              onClick={() => onChange(value.filter((m) => m.key !== key))}
            >
              <IconX size={18} aria-hidden />
            </ActionIcon>
          </Group>
        ))}
        <Group>
          <Button variant="default" size="sm" leftSection={<IconPlus size={16} aria-hidden />} onClick={add}>
            {t("addGroup")}
          </Button>
        </Group>
      </Stack>
    </Fieldset>
  );
}
