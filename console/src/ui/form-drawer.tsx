import { Button, Drawer, Group, Stack } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useBlocker } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { fieldsOf, problemOf } from "@/api/problem";
import { confirm } from "./confirm";
import { ProblemAlert } from "./problem";

interface FormDrawerProps<V extends object> {
  title: string;
  opened: boolean;
  onClose: () => void;
  form: UseFormReturnType<V>;
  /** The values that it opens with; left out = those that the form was made with. */
  begin?: () => V;
  /** Sends the values; what it throws is shown at the fields it names, else above the buttons. */
  onSubmit: (values: V) => Promise<unknown>;
  submit: string;
  children: ReactNode;
}

/**
 * FormDrawer is how records are made and changed: beside the page, with the
 * server's findings at their fields, and never closed over unsaved changes
 * without asking. Names of form fields are those of the API.
 */
export function FormDrawer<V extends object>({
  title,
  opened,
  onClose,
  form,
  begin,
  onSubmit,
  submit,
  children,
}: FormDrawerProps<V>) {
  const { t } = useTranslation("common");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const dirty = opened && form.isDirty();
  // biome-ignore lint/correctness/useExhaustiveDependencies: an opened form shows what it was opened for, and keeps what is typed then
  useEffect(() => {
    if (!opened) return;
    if (begin) form.setInitialValues(begin());
    form.reset();
  }, [opened]);

  const mayDiscard = () =>
    confirm({ title: t("discardTitle"), body: t("discardBody"), confirm: t("discard"), cancel: t("keepEditing"), danger: true });
  useBlocker({
    shouldBlockFn: async () => dirty && !busy && !(await mayDiscard()),
    enableBeforeUnload: () => dirty,
  });

  const close = async () => {
    if (dirty && !(await mayDiscard())) return;
    setFailure(null);
    onClose();
  };
  const send = async (values: V) => {
    setBusy(true);
    setFailure(null);
    try {
      await onSubmit(values);
      form.resetDirty();
      onClose();
    } catch (error) {
      setFailure(showAtFields(form, error) ? null : error);
    } finally {
      setBusy(false);
    }
  };
  const onForm = (event: FormEvent<HTMLFormElement>) => {
    event.stopPropagation();
    form.onSubmit(send)(event);
  };
  return (
    <Drawer opened={opened} onClose={close} title={title} position="right" size="md">
      <form onSubmit={onForm} noValidate>
        <Stack gap="md">
          {children}
          {failure !== null && <ProblemAlert error={failure} />}
          <Group justify="flex-end" mt="sm">
            <Button variant="default" onClick={close}>
              {t("cancel")}
            </Button>
            <Button type="submit" loading={busy}>
              {submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Drawer>
  );
}

/** showAtFields puts a problem's findings at the fields of form; false when one has no field there. */
function showAtFields<V extends object>(form: UseFormReturnType<V>, error: unknown): boolean {
  const problem = problemOf(error);
  if (!problem) return false;
  const findings = Object.entries(fieldsOf(problem));
  const known = findings.filter(([field]) => (field.split(".")[0] as string) in form.getValues());
  form.setErrors(Object.fromEntries(known));
  return known.length > 0 && known.length === findings.length;
}
