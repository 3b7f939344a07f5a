import { Alert, Button, Group, Modal, Stack, Textarea, TextInput } from "@mantine/core";
import { IconShieldLock } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Copy } from "./copy";

interface SecretProps {
  title: string;
  /** What the secret is, as the label of its field. */
  label: string;
  /** null closes the dialog and forgets the secret. */
  secret: string | null;
  onClose: () => void;
  /** What to do with it next. */
  children?: ReactNode;
}

/** SecretDialog shows a secret once. Only its button closes it, so that nobody loses one by a slip. */
export function SecretDialog({ title, label, secret, onClose, children }: SecretProps) {
  const { t } = useTranslation("common");
  const lines = secret?.split("\n").length ?? 1;
  const Field = lines > 1 ? Textarea : TextInput; // the latter would show several codes as one
  return (
    <Modal
      opened={secret !== null}
      onClose={onClose}
      title={title}
      size="lg"
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
    >
      <Stack>
        <Alert color="orange" icon={<IconShieldLock aria-hidden />}>
          {t("secretOnce")}
        </Alert>
        <Group align="flex-end" gap="sm" wrap="nowrap">
          <Field
            label={label}
            value={secret ?? ""}
            readOnly
            {...(lines > 1 && { rows: lines })}
            flex={1}
            classNames={{ input: "mono" }}
            onFocus={(event) => event.currentTarget.select()}
            data-autofocus
          />
          <Copy value={secret ?? ""} label={t("copy")} />
        </Group>
        {children}
        <Group justify="flex-end">
          <Button onClick={onClose}>{t("secretKept")}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
