import { Button, Group, PasswordInput, SimpleGrid, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { fieldsOf, problemOf } from "@/api/problem";
import { useMe } from "@/api/session";
import { Card, Page } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { Factors } from "./factors";
import { Identities } from "./identities";
import { Profile } from "./profile";
import { Sessions } from "./sessions";

/** AccountPage is one's own account. */
export function AccountPage() {
  const { t } = useTranslation("account");
  return (
    <Page title={t("title")} lead={t("lead")}>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Profile />
        <Password />
      </SimpleGrid>
      <Factors />
      <Identities />
      <Sessions />
    </Page>
  );
}

function Password() {
  const { t } = useTranslation("account");
  const me = useMe();
  const [failure, setFailure] = useState<unknown>(null);
  const form = useForm({ initialValues: { current_password: "", new_password: "" } });
  const change = useAction("/user/password", { stale: ["/user/sessions"], done: t("changed"), quiet: true });
  const send = async (values: typeof form.values) => {
    setFailure(null);
    try {
      await change.mutateAsync(values);
      form.reset();
    } catch (error) {
      const fields = fieldsOf(problemOf(error) ?? {});
      if (Object.keys(fields).some((name) => name in values)) form.setErrors(fields);
      else setFailure(error);
    }
  };
  return (
    <Card title={t("password")}>
      {me.has_password ? (
        <form onSubmit={form.onSubmit(send)}>
          <Stack>
            <Text size="sm" c="dimmed">
              {t("passwordLead")}
            </Text>
            <PasswordInput label={t("current")} autoComplete="current-password" {...form.getInputProps("current_password")} />
            <PasswordInput
              label={t("new")}
              description={t("newHint")}
              autoComplete="new-password"
              {...form.getInputProps("new_password")}
            />
            {failure !== null && <ProblemAlert error={failure} />}
            <Group justify="flex-end">
              <Button type="submit" loading={change.isPending}>
                {t("change")}
              </Button>
            </Group>
          </Stack>
        </form>
      ) : (
        <Text c="dimmed">{t("noPassword")}</Text>
      )}
    </Card>
  );
}
