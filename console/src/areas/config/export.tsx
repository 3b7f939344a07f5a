import { Alert, Button, Group, Modal, PasswordInput, Radio, Stack, Text } from "@mantine/core";
import { IconDownload, IconShieldLock } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { saveFile } from "@/api/download";
import { useMe } from "@/api/session";
import type { Answer } from "@/api/types";
import { CodeBlock } from "@/ui/code";
import { ProblemAlert } from "@/ui/problem";
import { Working } from "@/ui/working";

/** ExportDialog answers the records as a document: to look at, or to keep. */
export function ExportDialog({ opened, close }: { opened: boolean; close: () => void }) {
  const { t } = useTranslation("config");
  return (
    <Modal opened={opened} onClose={close} title={t("exportTitle")} size="xl">
      {opened && <Export />}
    </Modal>
  );
}

function Export() {
  const { t } = useTranslation("config");
  const me = useMe();
  const [secrets, setSecrets] = useState(false);
  const [passphrase, setPassphrase] = useState("");
  const [again, setAgain] = useState("");
  const [made, setMade] = useState<Answer<"/admin/config/export-toml"> | null>(null);
  const run = useAction("/admin/config/export-toml", { stale: [], quiet: true });
  const { mutate, reset } = run;
  useEffect(() => {
    setMade(null);
    reset();
    if (!secrets) mutate({}, { onSuccess: setMade });
  }, [secrets, mutate, reset]);
  const different = again !== "" && again !== passphrase;
  const name = secrets ? "tollgate.toml.age" : "tollgate.toml";
  return (
    <Stack>
      <Radio.Group
        value={secrets ? "with" : "without"}
        onChange={(value) => setSecrets(value === "with")}
        label={t("exportWhat")}
      >
        <Stack gap="sm" mt="sm">
          <Radio value="without" label={t("withoutSecrets")} description={t("withoutSecretsHint")} />
          <Radio
            value="with"
            label={t("withSecrets")}
            description={me.is_super_admin ? t("withSecretsHint") : t("superOnly")}
            disabled={!me.is_super_admin}
          />
        </Stack>
      </Radio.Group>
      {secrets && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            mutate({ with_secrets: true, passphrase }, { onSuccess: setMade });
          }}
        >
          <Stack gap="sm">
            <Group grow align="flex-start">
              <PasswordInput
                label={t("passphrase")}
                description={t("passphraseNew")}
                value={passphrase}
                onChange={(event) => setPassphrase(event.currentTarget.value)}
                autoComplete="new-password"
              />
              <PasswordInput
                label={t("passphraseAgain")}
                description={t("passphraseLost")}
                value={again}
                onChange={(event) => setAgain(event.currentTarget.value)}
                error={different ? t("passphraseDifferent") : undefined}
                autoComplete="new-password"
              />
            </Group>
            <Group justify="flex-end">
              <Button type="submit" loading={run.isPending} disabled={passphrase.length < 12 || again !== passphrase}>
                {t("encrypt")}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
      {run.isPending && <Working label={t("exporting")} />}
      {run.error && <ProblemAlert error={run.error} />}
      {made && secrets && (
        <Alert color="orange" icon={<IconShieldLock aria-hidden />}>
          {t("encryptedReady")}
        </Alert>
      )}
      {made?.notes?.map((note) => (
        <Text key={note} size="sm" c="dimmed">
          {note}
        </Text>
      ))}
      {made && !secrets && (
        <div style={{ maxHeight: "40dvh", overflow: "auto" }}>
          <CodeBlock text={made.toml} label={t("document")} />
        </div>
      )}
      {made && (
        <Group justify="flex-end">
          <Button
            leftSection={<IconDownload size={16} aria-hidden />}
            onClick={() => saveFile(name, new Blob([made.toml], { type: "application/toml" }))}
          >
            {t("save", { name })}
          </Button>
        </Group>
      )}
    </Stack>
  );
}
