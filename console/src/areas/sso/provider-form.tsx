import { Alert, Button, Group, List, PasswordInput, Select, Stack, Switch, TagsInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconAlertTriangle, IconCircleCheck } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import type { SignInProvider } from "@/api/sign-in-providers";
import type { Schema } from "@/api/types";
import { Copy } from "@/ui/copy";
import { FormDrawer } from "@/ui/form-drawer";
import { type Mapping, Mappings, mappingsOf, rolesOf } from "./mappings";

/** What the form is open for: a provider, a new one, or nothing (closed). */
export type Editing = SignInProvider | "new" | null;

export const ssoStale = ["/admin/sso-providers", "/auth/providers", "/admin/user-sessions"];

function valuesOf(editing: Editing) {
  const have = editing === "new" ? null : editing;
  return {
    name: have?.name ?? "",
    kind: have?.kind ?? ("github" as SignInProvider["kind"]),
    display_name: have?.display_name ?? "",
    issuer: have?.issuer ?? "",
    client_id: have?.client_id ?? "",
    client_secret: "",
    sign_up: have?.sign_up ?? false,
    allowed_domains: have?.allowed_domains ?? [],
    allowed_orgs: have?.allowed_orgs ?? [],
    trusts_second_factor: have?.trusts_second_factor ?? false,
    enabled: have?.enabled ?? true,
    groups_claim: have?.groups_claim ?? "",
    roles: mappingsOf(have?.roles ?? []),
  };
}

type Values = ReturnType<typeof valuesOf>;

function bodyOf(editing: Editing, { client_secret, roles, ...values }: Values) {
  const oidc = values.kind === "oidc";
  return {
    ...(editing !== "new" && editing !== null && { id: editing.id }),
    ...values,
    display_name: values.display_name || null,
    issuer: values.issuer || null,
    groups_claim: oidc ? values.groups_claim || null : null,
    allowed_orgs: values.kind === "github" ? values.allowed_orgs : [],
    roles: oidc ? rolesOf(roles) : [],
    ...(client_secret && { client_secret }),
  };
}

/** ProviderForm sets a sign-in provider up and tests it before anybody depends on it. */
export function ProviderForm({ editing, close }: { editing: Editing; close: () => void }) {
  const { t } = useTranslation("sso");
  const { t: common } = useTranslation("common");
  const form = useForm<Values>({ initialValues: valuesOf(null) });
  const write = useAction("/admin/sso-providers/upsert", { stale: ssoStale, done: t("saved"), quiet: true });
  const isNew = editing === "new";
  const { kind, name } = form.values;
  const redirect =
    isNew || editing === null ? `${window.location.origin}/auth/sso/${name || "…"}/callback` : editing.redirect_uri;
  return (
    <FormDrawer
      title={isNew ? t("createTitle") : t("editTitle", { name: editing?.name ?? "" })}
      opened={editing !== null}
      onClose={close}
      form={form}
      begin={() => valuesOf(editing)}
      submit={isNew ? common("create") : common("save")}
      onSubmit={(values) => write.mutateAsync(bodyOf(editing, values))}
    >
      <Select
        label={t("kind")}
        data={(["github", "google", "oidc"] as const).map((value) => ({ value, label: t(`kinds.${value}`) }))}
        allowDeselect={false}
        disabled={!isNew}
        {...form.getInputProps("kind")}
      />
      <TextInput
        label={t("name")}
        description={t("nameHint")}
        required
        disabled={!isNew}
        autoComplete="off"
        data-autofocus
        {...form.getInputProps("name")}
      />
      <Group align="flex-end" gap="sm" wrap="nowrap">
        <TextInput
          label={t("redirect")}
          description={t("redirectHint")}
          value={redirect}
          readOnly
          flex={1}
          onFocus={(event) => event.currentTarget.select()}
        />
        <Copy value={redirect} label={common("copy")} />
      </Group>
      {kind !== "google" && (
        <TextInput
          label={kind === "github" ? t("issuerGithub") : t("issuer")}
          description={kind === "github" ? t("issuerGithubHint") : t("issuerHint")}
          type="url"
          required={kind === "oidc"}
          {...form.getInputProps("issuer")}
        />
      )}
      <TextInput label={t("clientId")} required autoComplete="off" {...form.getInputProps("client_id")} />
      <PasswordInput
        label={t("clientSecret")}
        description={isNew ? undefined : t("secretKeep")}
        required={isNew}
        autoComplete="off"
        {...form.getInputProps("client_secret")}
      />
      <TextInput label={t("displayName")} description={t("displayNameHint")} {...form.getInputProps("display_name")} />
      <Switch label={t("signUp")} description={t("signUpHint")} {...form.getInputProps("sign_up", { type: "checkbox" })} />
      <TagsInput label={t("domains")} description={t("domainsHint")} {...form.getInputProps("allowed_domains")} />
      {kind === "github" && <TagsInput label={t("orgs")} description={t("orgsHint")} {...form.getInputProps("allowed_orgs")} />}
      {kind === "oidc" && (
        <>
          <TextInput label={t("groupsClaim")} placeholder="groups" {...form.getInputProps("groups_claim")} />
          <Mappings value={form.values.roles} onChange={(roles: Mapping[]) => form.setFieldValue("roles", roles)} />
        </>
      )}
      <Switch
        label={t("trusts")}
        description={t("trustsHint")}
        {...form.getInputProps("trusts_second_factor", { type: "checkbox" })}
      />
      <Switch label={t("enabled")} description={t("enabledHint")} {...form.getInputProps("enabled", { type: "checkbox" })} />
      <Test key={String(editing && editing !== "new" ? editing.id : editing)} body={() => bodyOf(editing, form.values)} />
    </FormDrawer>
  );
}

/** Test asks the provider what it says of itself, and shows what is wrong. */
function Test({ body }: { body: () => ReturnType<typeof bodyOf> }) {
  const { t } = useTranslation("sso");
  const [found, setFound] = useState<Schema<"Findings"> | null>(null);
  const test = useAction("/admin/sso-providers/test", { stale: [] });
  const run = () => {
    setFound(null);
    test.mutate(body(), { onSuccess: (findings) => setFound(findings as Schema<"Findings">) });
  };
  return (
    <Stack gap="sm">
      <Button variant="default" loading={test.isPending} onClick={run}>
        {t("test")}
      </Button>
      {found && (
        <Alert
          role="status"
          color={found.ok ? "green" : "orange"}
          icon={found.ok ? <IconCircleCheck aria-hidden /> : <IconAlertTriangle aria-hidden />}
          title={found.ok ? t("testGood") : t("testBad")}
        >
          <List size="sm" spacing={4}>
            {(found.findings ?? [])
              .filter(({ ok }) => found.ok || !ok)
              .map(({ what, text }) => (
                <List.Item key={`${what} ${text}`}>{text}</List.Item>
              ))}
          </List>
        </Alert>
      )}
    </Stack>
  );
}
