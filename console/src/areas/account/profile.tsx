import { Button, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useMe } from "@/api/session";
import { Facts } from "@/ui/facts";
import { FormDrawer } from "@/ui/form-drawer";
import { Card } from "@/ui/page";
import { Time } from "@/ui/time";

/** Profile is who one is here; name and address are one's own to change. */
export function Profile() {
  const { t } = useTranslation("account");
  const { t: common } = useTranslation("common");
  const me = useMe();
  const [opened, edit] = useDisclosure();
  const role = me.is_super_admin ? "super" : me.is_admin ? "admin" : "user";
  return (
    <Card
      title={t("profile")}
      aside={
        <Button variant="default" size="sm" onClick={edit.open} aria-label={`${common("edit")}: ${t("profile")}`}>
          {common("edit")}
        </Button>
      }
    >
      <Facts
        facts={[
          [t("name"), me.name],
          [t("email"), me.email || common("none")],
          [t("role"), t(`roles.${role}`)],
          [t("created"), <Time key="created" at={me.created_at} />],
        ]}
      />
      <ProfileForm opened={opened} close={edit.close} />
    </Card>
  );
}

function ProfileForm({ opened, close }: { opened: boolean; close: () => void }) {
  const { t } = useTranslation("account");
  const { t: common } = useTranslation("common");
  const me = useMe();
  const form = useForm({ initialValues: { name: "", email: "" } });
  const write = useAction("/user/profile", { stale: ["/user/me", "/admin/users"], done: t("profileSaved"), quiet: true });
  return (
    <FormDrawer
      title={t("profileTitle")}
      opened={opened}
      onClose={close}
      form={form}
      begin={() => ({ name: me.name, email: me.email ?? "" })}
      submit={common("save")}
      onSubmit={({ name, email }) =>
        // What was not changed is not sent: it may be another's to change.
        write.mutateAsync({ ...(name !== me.name && { name }), ...(email !== (me.email ?? "") && { email: email || null }) })
      }
    >
      <TextInput
        label={t("name")}
        description={t("nameHint")}
        required
        autoComplete="username"
        data-autofocus
        {...form.getInputProps("name")}
      />
      <TextInput label={t("email")} type="email" autoComplete="email" {...form.getInputProps("email")} />
    </FormDrawer>
  );
}
