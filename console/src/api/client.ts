import createFetchClient from "openapi-fetch";
import createQueryClient from "openapi-react-query";
import { guardedFetch, plainFetch } from "./gate";
import type { paths } from "./schema";

/** client calls the API; an ended session or a step-up is asked for on the way. */
export const client = createFetchClient<paths>({ fetch: guardedFetch });

/** plainClient calls the API and takes its answer as it is: for signing in itself. */
export const plainClient = createFetchClient<paths>({ fetch: plainFetch });

/** api is client as hooks: `api.useQuery("post", "/user/quota", { body: {} })`. */
export const api = createQueryClient(client);
