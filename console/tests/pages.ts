/** Every page with the heading that says it is there; add yours. */
export const pages: { name: string; path: string; heading: RegExp }[] = [
  { name: "home", path: "/console/", heading: /^Welcome|^欢迎/ },
  { name: "keys", path: "/console/keys", heading: /^My keys$|^我的密钥$/ },
  { name: "users", path: "/console/admin/users", heading: /^Users$|^用户$/ },
  { name: "user", path: "/console/admin/users/1", heading: /^admin$/ },
  { name: "user-keys", path: "/console/admin/users/1?tab=keys", heading: /^admin$/ },
  { name: "user-rights", path: "/console/admin/users/1?tab=rights", heading: /^admin$/ },
  { name: "user-usage", path: "/console/admin/users/1?tab=usage", heading: /^admin$/ },
  { name: "missing-user", path: "/console/admin/users/999999", heading: /^No such user$|^没有这个用户$/ },
  { name: "not-found", path: "/console/no/such/page", heading: /^There is nothing here$|^这里什么也没有$/ },
];
