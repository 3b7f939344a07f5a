import { Alert, Anchor, Button, FileButton, Group, Stack, Text, Textarea } from "@mantine/core";
import { IconAlertTriangle, IconUpload } from "@tabler/icons-react";
import { type DragEvent, type RefObject, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { problemOf } from "@/api/problem";
import { ProblemAlert } from "@/ui/problem";
import classes from "./config.module.css";

/** The largest document that the API takes. */
const largest = 8 * 1024 * 1024;

interface DocumentFieldProps {
  value: string;
  onChange: (text: string) => void;
  /** Puts the records of the present there, to be edited. */
  fill: () => void;
  filling: boolean;
  failure: unknown;
}

/** DocumentField takes a document: typed, pasted, chosen as a file or dropped. What is wrong with it leads to its line. */
export function DocumentField({ value, onChange, fill, filling, failure }: DocumentFieldProps) {
  const { t } = useTranslation("config");
  const field = useRef<HTMLTextAreaElement>(null);
  const [over, setOver] = useState(false);
  const [tooLarge, setTooLarge] = useState(false);
  const read = async (file: File | null | undefined) => {
    setTooLarge(false);
    if (!file) return;
    if (file.size > largest) return setTooLarge(true);
    onChange(await file.text());
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void read(event.dataTransfer.files[0]);
  };
  return (
    <Stack gap="sm">
      <Textarea
        ref={field}
        label={t("document")}
        description={t("documentHint")}
        placeholder={'[[users]]\nname = "alice"\nemail = "alice@example.com"'}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        rows={14}
        spellCheck={false}
        autoCapitalize="off"
        className={classes.editor}
        data-over={over || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      />
      <Group gap="xs">
        <FileButton onChange={read} accept=".toml,.age,text/*" resetRef={undefined}>
          {(props) => (
            <Button {...props} variant="default" size="xs" leftSection={<IconUpload size={14} aria-hidden />}>
              {t("chooseFile")}
            </Button>
          )}
        </FileButton>
        <Button variant="default" size="xs" onClick={fill} loading={filling}>
          {t("startFromNow")}
        </Button>
        {value !== "" && (
          <Button variant="subtle" size="xs" onClick={() => onChange("")}>
            {t("empty")}
          </Button>
        )}
      </Group>
      {tooLarge && <Alert color="red">{t("tooLarge")}</Alert>}
      {failure !== null && <Findings failure={failure} field={field} />}
    </Stack>
  );
}

/** A finding of the server with its place, such as "config.toml:4:9: a key of user alice has no api_key". */
const placed = /^[\w.-]+:(\d+):(\d+): (.*)$/;

/** Findings lists what is wrong with a document; each leads to its line. */
function Findings({ failure, field }: { failure: unknown; field: RefObject<HTMLTextAreaElement | null> }) {
  const { t } = useTranslation("config");
  const lines = problemOf(failure)?.detail?.split("\n") ?? [];
  if (!lines.some((line) => placed.test(line))) return <ProblemAlert error={failure} />;
  const jump = (line: number) => {
    const area = field.current;
    if (!area) return;
    const before =
      area.value
        .split("\n")
        .slice(0, line - 1)
        .join("\n").length + (line > 1 ? 1 : 0);
    const end = area.value.indexOf("\n", before);
    area.focus();
    area.setSelectionRange(before, end < 0 ? area.value.length : end);
    area.scrollTop = Math.max(0, (line - 5) * 20.8);
  };
  return (
    <Alert color="red" icon={<IconAlertTriangle aria-hidden />} title={t("invalid")} role="alert">
      <ul className={classes.findings}>
        {lines.map((line) => {
          const [, at, , text] = placed.exec(line) ?? [];
          return (
            <li key={line}>
              {at && (
                <Anchor component="button" type="button" size="sm" onClick={() => jump(Number(at))}>
                  {t("line", { number: at })}
                </Anchor>
              )}{" "}
              <Text span size="sm">
                {text ?? line}
              </Text>
            </li>
          );
        })}
      </ul>
    </Alert>
  );
}
