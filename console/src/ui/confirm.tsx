import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { modals } from "@mantine/modals";
import { type FormEvent, type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";

interface Question {
  title: string;
  body: ReactNode;
  confirm: string;
  /** What cannot be undone is asked in red. */
  danger?: boolean;
  /** A word that has to be typed first, for what destroys a lot. */
  typed?: string;
  cancel?: string;
}

function Answer({ question, answer }: { question: Question; answer: (yes: boolean) => void }) {
  const { t } = useTranslation("common");
  const [typed, setTyped] = useState("");
  const ready = !question.typed || typed === question.typed;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation(); // the question may stand over another form
    if (ready) answer(true);
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text component="div" size="sm">
          {question.body}
        </Text>
        {question.typed && (
          <TextInput
            label={t("typeToConfirm", { word: question.typed })}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            data-autofocus
          />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={() => answer(false)}>
            {question.cancel ?? t("cancel")}
          </Button>
          <Button
            type="submit"
            color={question.danger ? "red" : undefined}
            disabled={!ready}
            data-autofocus={question.typed ? undefined : true}
          >
            {question.confirm}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** confirm asks before something is done, and resolves to whether it may be. */
export function confirm(question: Question): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (yes: boolean) => {
      resolve(yes); // before closing, which answers no
      modals.close(id);
    };
    const id = modals.open({
      title: question.title,
      children: <Answer question={question} answer={answer} />,
      onClose: () => resolve(false),
      zIndex: 400,
    });
  });
}
