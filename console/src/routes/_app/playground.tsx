import { createFileRoute } from "@tanstack/react-router";
import { PlaygroundPage } from "@/areas/playground/playground";
import { playgroundSearch } from "@/areas/playground/search";

export const Route = createFileRoute("/_app/playground")({ validateSearch: playgroundSearch, component: PlaygroundPage });
