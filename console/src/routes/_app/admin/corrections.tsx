import { createFileRoute } from "@tanstack/react-router";
import { CorrectionsPage } from "@/areas/corrections/corrections";
import { correctionTab } from "@/areas/corrections/search";

export const Route = createFileRoute("/_app/admin/corrections")({ validateSearch: correctionTab, component: CorrectionsPage });
