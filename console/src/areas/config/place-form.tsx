import { Checkbox, Input, PasswordInput, SegmentedControl, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useMe } from "@/api/session";
import { FormDrawer } from "@/ui/form-drawer";
import { type Place, placesStale } from "./places";

const kinds = ["folder", "webdav", "gist"] as const;

const nothing = {
  name: "",
  kind: "folder" as Place["kind"],
  location: "",
  file: "",
  username: "",
  password: "",
  with_secrets: false,
  passphrase: "",
  forgetPassword: false,
  forgetPassphrase: false,
};

/** PlaceForm makes and changes a place. What is kept secret is never shown: an empty field keeps it. */
export function PlaceForm({ opened, close, place }: { opened: boolean; close: () => void; place: Place | null }) {
  const { t } = useTranslation("config");
  const { t: common } = useTranslation("common");
  const me = useMe();
  const form = useForm({ initialValues: nothing });
  const write = useAction("/admin/config-sync/upsert", { stale: placesStale, done: t("placeSaved"), quiet: true });
  const { kind, with_secrets: secrets } = form.values;
  const send = (v: typeof nothing) =>
    write.mutateAsync({
      ...(place && { id: place.id }),
      name: v.name,
      kind: v.kind,
      location: v.location,
      ...(v.kind === "gist" && v.file && { file: v.file }),
      ...(v.kind === "webdav" && { username: v.username }),
      password: v.forgetPassword || v.kind === "folder" ? null : v.password,
      with_secrets: v.with_secrets,
      passphrase: v.forgetPassphrase ? null : v.passphrase,
    });
  const kept = (has: boolean | undefined) => (has ? t("keptHint") : undefined);
  return (
    <FormDrawer
      title={place ? t("editPlace", { name: place.name }) : t("addPlace")}
      opened={opened}
      onClose={close}
      form={form}
      begin={() => ({ ...nothing, ...(place && fieldsOf(place)) })}
      submit={common("save")}
      onSubmit={send}
    >
      <TextInput
        label={t("placeName")}
        description={t("placeNameHint")}
        required
        data-autofocus
        {...form.getInputProps("name")}
      />
      <Input.Wrapper label={t("placeKind")} labelElement="div" description={t(`placeHints.${kind}`)}>
        <SegmentedControl
          aria-label={t("placeKind")}
          fullWidth
          mt={6}
          data={kinds.map((value) => ({ value, label: t(`placeKinds.${value}`) }))}
          {...form.getInputProps("kind")}
        />
      </Input.Wrapper>
      <TextInput
        label={t(`locations.${kind}`)}
        placeholder={kind === "folder" ? "prod/tollgate.toml" : undefined}
        required
        {...form.getInputProps("location")}
      />
      {kind === "gist" && <TextInput label={t("file")} placeholder="tollgate.toml" {...form.getInputProps("file")} />}
      {kind === "webdav" && <TextInput label={t("username")} autoComplete="off" {...form.getInputProps("username")} />}
      {kind !== "folder" && (
        <PasswordInput
          label={t(kind === "gist" ? "token" : "password")}
          description={kept(place?.has_password)}
          autoComplete="new-password"
          disabled={form.values.forgetPassword}
          {...form.getInputProps("password")}
        />
      )}
      {kind !== "folder" && place?.has_password && (
        <Checkbox label={t("forgetPassword")} {...form.getInputProps("forgetPassword", { type: "checkbox" })} />
      )}
      <Switch
        label={t("pushSecrets")}
        description={me.is_super_admin ? t("pushSecretsHint") : t("superOnly")}
        disabled={!me.is_super_admin}
        {...form.getInputProps("with_secrets", { type: "checkbox" })}
      />
      {(secrets || place?.has_passphrase) && (
        <PasswordInput
          label={t("passphrase")}
          description={kept(place?.has_passphrase) ?? t("passphraseNew")}
          autoComplete="new-password"
          disabled={form.values.forgetPassphrase}
          {...form.getInputProps("passphrase")}
        />
      )}
      {place?.has_passphrase && !secrets && (
        <Checkbox label={t("forgetPassphrase")} {...form.getInputProps("forgetPassphrase", { type: "checkbox" })} />
      )}
    </FormDrawer>
  );
}

function fieldsOf({ name, kind, location, file, username, with_secrets }: Place) {
  return { name, kind, location, file, username, with_secrets };
}
