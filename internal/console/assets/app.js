"use strict";

const texts = {
  en: {
    language: "中文", signInTitle: "Sign in", username: "User name", password: "Password", signIn: "Sign in",
    signInHint: "No account? Ask your administrator. After a first start, the server's log shows name and password.",
    role: "Role:", roles: { user: "user", admin: "administrator", super_admin: "super administrator" }, signOut: "Sign out",
    modelsTitle: "Models you may use", model: "Model", provider: "Provider",
    noModels: "None yet. A provider with models, and a permission for them, are needed.",
    tryTitle: "Try it", tryHint: "Put one of your API keys in place of YOUR_KEY.", copy: "Copy", copied: "Copied.", docs: "API reference",
    failed: "The server could not be reached. Try again.", signedOut: "You have signed out.", ended: "Your session has ended. Sign in again.",
    toDocs: "Sign in to read the API reference.",
    refusals: { 401: "User name or password is wrong.", 403: "This account is disabled. Ask your administrator.", 429: "Too many attempts. Wait a little and try again." },
  },
  zh: {
    language: "English", signInTitle: "登录", username: "用户名", password: "密码", signIn: "登录",
    signInHint: "没有账号？请联系管理员。首次启动时，用户名和密码会写在服务器日志中。",
    role: "角色：", roles: { user: "用户", admin: "管理员", super_admin: "超级管理员" }, signOut: "退出登录",
    modelsTitle: "可用的模型", model: "模型", provider: "提供商",
    noModels: "暂无。需要先添加带有模型的提供商，并授予使用权限。",
    tryTitle: "试一试", tryHint: "请将 YOUR_KEY 替换为您的 API 密钥。", copy: "复制", copied: "已复制。", docs: "API 文档",
    failed: "无法连接服务器，请重试。", signedOut: "您已退出登录。", ended: "会话已结束，请重新登录。",
    toDocs: "请先登录，再查看 API 文档。",
    refusals: { 401: "用户名或密码错误。", 403: "该账号已被停用，请联系管理员。", 429: "尝试次数过多，请稍后再试。" },
  },
};

const byId = (id) => document.getElementById(id);
const languageKey = "tollgate.language";
let language = storedLanguage() || ((navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en");
let wantsDocs = location.hash === "#docs"; // the reference sent its reader here to sign in
let account = null;
let models = [];
const text = (name) => texts[language][name];

/** The language is all that this page stores; a browser may refuse to. */
function storedLanguage() {
  try {
    const kept = localStorage.getItem(languageKey);
    return kept === "en" || kept === "zh" ? kept : "";
  } catch {
    return "";
  }
}

function storeLanguage() {
  try {
    localStorage.setItem(languageKey, language);
  } catch {
    // then the choice holds for this page alone
  }
}

/** Sends a command and returns {status, body}; status 0 means that no answer came. */
async function send(path, body) {
  try {
    const answer = await fetch(path, {
      method: "POST", credentials: "same-origin", cache: "no-store",
      headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    return { status: answer.status, body: await answer.json() };
  } catch {
    return { status: 0, body: null };
  }
}

function say(message) {
  byId("notice").textContent = message;
  byId("notice").hidden = message === "";
}

function render() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const e of document.querySelectorAll("[data-text]")) e.textContent = text(e.dataset.text);
  byId("language").textContent = text("language");
  byId("language").lang = language === "zh" ? "en" : "zh-CN";
  byId("sign-in").hidden = account !== null;
  byId("account").hidden = account === null;
  if (account === null) {
    byId("copied").textContent = "";
    return;
  }

  byId("who").textContent = account.name;
  byId("role").textContent = text("roles")[account.is_super_admin ? "super_admin" : account.is_admin ? "admin" : "user"];
  const rows = models.map((m) => {
    const row = document.createElement("tr");
    for (const value of [m.id, m.provider]) {
      const cell = document.createElement("td");
      cell.textContent = value;
      row.append(cell);
    }
    return row;
  });
  byId("models").querySelector("tbody").replaceChildren(...rows);
  byId("models").hidden = rows.length === 0;
  byId("no-models").hidden = rows.length > 0;
  byId("no-models").textContent = text("noModels");
  const body = JSON.stringify({ model: models.length > 0 ? models[0].id : "MODEL", messages: [{ role: "user", content: "Hello" }] });
  byId("curl").textContent =
    `curl ${location.origin}/v1/chat/completions \\\n  -H 'Authorization: Bearer YOUR_KEY' \\\n` +
    `  -H 'Content-Type: application/json' \\\n  -d '${body.replaceAll("'", "'\\''")}'`;
}

/** Asks who is signed in; message is shown when it is nobody. */
async function refresh(message) {
  const who = await send("/user/me", {});
  account = who.status === 200 ? who.body : null;
  if (account !== null) {
    const list = await send("/user/models", {});
    models = list.status === 200 ? list.body : [];
  }
  say(account !== null ? "" : who.status === 401 ? message : (who.body && who.body.error) || text("failed"));
  render();
  (account !== null ? byId("who") : byId("username")).focus();
}

byId("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  storeLanguage();
  byId("problem").textContent = "";
  byId("copied").textContent = "";
  say("");
  render();
});

byId("sign-in-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.target.querySelector("button");
  button.disabled = true;
  byId("problem").textContent = "";
  const answer = await send("/login", { username: byId("username").value, password: byId("password").value });
  button.disabled = false;
  byId("password").value = "";
  if (answer.status === 200) {
    if (wantsDocs) {
      location.replace("/docs");
      return;
    }
    await refresh(text("ended")); // the cookie holds the session; this page keeps no token
    return;
  }
  byId("problem").textContent = text("refusals")[answer.status] || (answer.body && answer.body.error) || text("failed");
  byId("password").focus();
});

byId("sign-out").addEventListener("click", async () => {
  const answer = await send("/logout", {});
  if (answer.status !== 200 && answer.status !== 401) {
    say((answer.body && answer.body.error) || text("failed"));
    return;
  }
  account = null;
  models = [];
  wantsDocs = false;
  storeLanguage(); // the answer has cleared what this site stored
  say(text("signedOut"));
  render();
  byId("username").focus();
});

byId("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(byId("curl").textContent);
    byId("copied").textContent = text("copied");
  } catch {
    getSelection().selectAllChildren(byId("curl"));
  }
});

refresh(wantsDocs ? text("toDocs") : "");
