import { useEngine } from "../../local-stack/engine.ts";
import { catalogContract } from "../../ports/catalog.contract.ts";
import { datasetContract } from "../../ports/catalog-datasets.contract.ts";
import { feedbackContract } from "../../ports/catalog-feedback.contract.ts";
import { scoreContract } from "../../ports/catalog-scores.contract.ts";
import { selectionContract } from "../../ports/catalog-selection.contract.ts";
import { sessionContract } from "../../ports/catalog-sessions.contract.ts";
import { ledgerContract } from "../../ports/ledger.contract.ts";
import { freshTable } from "./catalog-table.ts";

const engine = useEngine("ministack");

catalogContract("DynamoCatalog", async (now) => (await freshTable(engine)).catalog({ now }));
sessionContract("DynamoCatalog", async (now) => (await freshTable(engine)).catalog({ now }));
selectionContract("DynamoCatalog", async (now) => (await freshTable(engine)).catalog({ now }));
scoreContract("DynamoCatalog", async (now) => (await freshTable(engine)).catalog({ now }));
feedbackContract("DynamoCatalog", async (now) => (await freshTable(engine)).catalog({ now }));
datasetContract("DynamoCatalog", async (now) => {
  const table = await freshTable(engine);
  return { catalog: table.catalog({ now }), ledger: table.ledger() };
});
ledgerContract("DynamoLedger", async () => (await freshTable(engine)).ledger());
