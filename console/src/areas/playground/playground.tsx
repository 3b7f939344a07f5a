import { Alert, Button, FileInput, Grid, Group, JsonInput, NumberInput, Select, Stack, Switch, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconPhoto, IconPlayerStop, IconSend } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import { Card, Page } from "@/ui/page";
import { useCall } from "./call";
import { type Ask, type Dialect, dialects, type Tool } from "./request";
import { Result } from "./result";

const route = getRouteApi("/_app/playground");
const largestImage = 10 << 20;

const sampleTool = JSON.stringify(
  {
    name: "get_weather",
    description: "The weather in a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
  null,
  2,
);

/** PlaygroundPage makes one call and shows all of it. */
export function PlaygroundPage() {
  const { t } = useTranslation("playground");
  const { call, send, stop } = useCall();
  const [asked, setAsked] = useState<Ask | null>(null);
  const ask = (what: Ask) => {
    setAsked(what);
    void send(what);
  };
  return (
    <Page title={t("title")} lead={t("lead")}>
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, md: 5 }}>
          <Card>
            <AskForm running={call?.running ?? false} ask={ask} stop={stop} />
          </Card>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Card>
            <Result ask={asked} call={call} />
          </Card>
        </Grid.Col>
      </Grid>
    </Page>
  );
}

function AskForm({ running, ask, stop }: { running: boolean; ask: (ask: Ask) => void; stop: () => void }) {
  const { t } = useTranslation("playground");
  const { models, model, dialect, choose } = useTarget();
  const form = useForm({
    initialValues: {
      system: "",
      prompt: t("promptDefault"),
      maxTokens: 1024,
      stream: true,
      withTool: false,
      tool: sampleTool,
      image: null as File | null,
    },
    validate: {
      tool: (text, { withTool }) => (withTool && !toolOf(text) ? t("toolInvalid") : null),
      image: (file) => (file && file.size > largestImage ? t("imageTooLarge") : null),
    },
  });
  const submit = form.onSubmit(async ({ withTool, tool, image, ...rest }) => {
    if (!model) return;
    const picture = image && { type: image.type, base64: await base64Of(image) };
    ask({ ...rest, dialect, model, tool: withTool ? toolOf(tool) : null, image: picture });
  });
  if (models && models.length === 0) return <Alert>{t("noModels")}</Alert>;
  return (
    <form
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
      }}
    >
      <Stack gap="sm">
        <Select
          label={t("model")}
          data={models ?? []}
          value={model ?? null}
          onChange={(value) => choose({ model: value ?? undefined })}
          searchable
          allowDeselect={false}
        />
        <Select
          label={t("dialect")}
          data={dialects.map((value) => ({ value, label: t(`dialects.${value}`) }))}
          value={dialect}
          onChange={(value) => choose({ dialect: value as Dialect })}
          allowDeselect={false}
        />
        <Textarea label={t("system")} autosize minRows={1} maxRows={6} {...form.getInputProps("system")} />
        <Textarea label={t("prompt")} autosize minRows={4} maxRows={16} required {...form.getInputProps("prompt")} />
        <FileInput
          label={t("image")}
          description={t("imageHint")}
          placeholder={t("imageChoose")}
          accept="image/png,image/jpeg,image/webp,image/gif"
          leftSection={<IconPhoto size={16} aria-hidden />}
          clearable
          {...form.getInputProps("image")}
        />
        <NumberInput label={t("maxTokens")} min={1} max={1_000_000} {...form.getInputProps("maxTokens")} />
        <Switch label={t("stream")} {...form.getInputProps("stream", { type: "checkbox" })} />
        <Switch label={t("tool")} {...form.getInputProps("withTool", { type: "checkbox" })} />
        {form.values.withTool && (
          <JsonInput
            label={t("toolText")}
            autosize
            minRows={6}
            maxRows={16}
            spellCheck={false}
            classNames={{ input: "mono" }}
            {...form.getInputProps("tool")}
          />
        )}
        <Group justify="flex-end">
          {running && (
            <Button variant="default" leftSection={<IconPlayerStop size={18} aria-hidden />} onClick={stop}>
              {t("stop")}
            </Button>
          )}
          <Button type="submit" loading={running} disabled={!model} leftSection={<IconSend size={18} aria-hidden />}>
            {t("send")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** useTarget is the model and the protocol, which the address holds. */
function useTarget() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data } = api.useQuery("post", "/user/models", { body: {} });
  const models = data && [...new Set((data ?? []).flatMap(({ id }) => id ?? []))];
  const choose = (part: typeof search) => void navigate({ search: (now) => ({ ...now, ...part }), replace: true });
  return { models, model: search.model ?? models?.[0], dialect: search.dialect ?? dialects[0], choose };
}

/** toolOf reads a tool; null when it is none. */
function toolOf(text: string): Tool | null {
  try {
    const tool: unknown = JSON.parse(text);
    return typeof (tool as Tool | null)?.name === "string" && (tool as Tool).name !== "" ? (tool as Tool) : null;
  } catch {
    return null;
  }
}

async function base64Of(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(",", 2)[1] ?? "");
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
