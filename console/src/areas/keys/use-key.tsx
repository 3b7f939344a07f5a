import { Select, Stack, Tabs } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import { CodeBlock } from "@/ui/code";
import { snippets } from "./snippets";

/** UseKey shows what to paste where, with the key and a model filled in. */
export function UseKey({ secret }: { secret: string }) {
  const { t } = useTranslation("keys");
  const { data = [] } = api.useQuery("post", "/user/models", { body: {} });
  const names = (data ?? []).flatMap(({ id }) => id ?? []);
  const [chosen, setChosen] = useState<string | null>(null);
  const model = chosen ?? names[0] ?? "MODEL";
  return (
    <Stack gap="sm">
      {names.length > 0 && (
        <Select label={t("model")} data={names} value={model} onChange={setChosen} searchable allowDeselect={false} maw={320} />
      )}
      <Tabs defaultValue={snippets[0]?.name} variant="pills">
        <Tabs.List aria-label={t("tryIt")} mb="sm">
          {snippets.map(({ name }) => (
            <Tabs.Tab key={name} value={name}>
              {name}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {snippets.map(({ name, text }) => (
          <Tabs.Panel key={name} value={name}>
            <CodeBlock text={text(window.location.origin, secret, model)} label={name} />
          </Tabs.Panel>
        ))}
      </Tabs>
    </Stack>
  );
}
