import base from "../../config/beds.toml" with { type: "text" };
import devExample from "../../config/env_dev.example.toml" with { type: "text" };
import appFunctionsExrCountSql from "../../templates/db/app/functions/exr_count.sql" with { type: "text" };
import appProceduresExrCreateSql from "../../templates/db/app/procedures/exr_create.sql" with { type: "text" };
import appProceduresExrFetchByIdSql from "../../templates/db/app/procedures/exr_fetch_by_id.sql" with { type: "text" };
import appProceduresExrFetchSinceSql from "../../templates/db/app/procedures/exr_fetch_since.sql" with { type: "text" };
import appProceduresExrRemoveSql from "../../templates/db/app/procedures/exr_remove.sql" with { type: "text" };
import appProceduresExrRepriceSql from "../../templates/db/app/procedures/exr_reprice.sql" with { type: "text" };
import appProceduresExrUpdateSql from "../../templates/db/app/procedures/exr_update.sql" with { type: "text" };
import appTablesExrItemSql from "../../templates/db/app/tables/exr_item.sql" with { type: "text" };
import appViewsExrListedVSql from "../../templates/db/app/views/exr_listed_v.sql" with { type: "text" };
import docsCollectionsExcJson from "../../templates/db/docs/collections/exc.json" with { type: "text" };
import docsCollectionsMslJson from "../../templates/db/docs/collections/msl.json" with { type: "text" };
import docsObjectsExcCreateJson from "../../templates/db/docs/objects/exc_create.json" with { type: "text" };
import docsObjectsExcFetchByIdJson from "../../templates/db/docs/objects/exc_fetch_by_id.json" with { type: "text" };
import docsObjectsExcFetchSinceJson from "../../templates/db/docs/objects/exc_fetch_since.json" with { type: "text" };
import docsObjectsExcRemoveJson from "../../templates/db/docs/objects/exc_remove.json" with { type: "text" };
import docsObjectsExcRestockJson from "../../templates/db/docs/objects/exc_restock.json" with { type: "text" };
import docsObjectsExcSearchJson from "../../templates/db/docs/objects/exc_search.json" with { type: "text" };
import docsObjectsExcSummaryJson from "../../templates/db/docs/objects/exc_summary.json" with { type: "text" };
import docsObjectsExcUpdateJson from "../../templates/db/docs/objects/exc_update.json" with { type: "text" };
import docsObjectsMslCreateJson from "../../templates/db/docs/objects/msl_create.json" with { type: "text" };
import docsObjectsMslFetchByRootJson from "../../templates/db/docs/objects/msl_fetch_by_root.json" with { type: "text" };
import docsObjectsMslFetchRecentJson from "../../templates/db/docs/objects/msl_fetch_recent.json" with { type: "text" };
import docsViewsExcItemVJson from "../../templates/db/docs/views/exc_item_v.json" with { type: "text" };
import docsViewsExcListedVJson from "../../templates/db/docs/views/exc_listed_v.json" with { type: "text" };
import docsViewsMslRecordVJson from "../../templates/db/docs/views/msl_record_v.json" with { type: "text" };
import exampleRecToml from "../../templates/example_rec.toml" with { type: "text" };
import exampleRelToml from "../../templates/example_rel.toml" with { type: "text" };
import mstLoggerRecToml from "../../templates/mst_logger_rec.toml" with { type: "text" };
import { BedsError } from "../contract/errors.ts";

/** A file that `beds init` writes. */
export interface StarterFile {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  readonly text: string;
}

/**
 * What `beds init` writes: the configuration, the templates and the object sources of this
 * repository, embedded in the program, with paths that fit the new folder. A test holds the list
 * against the real folders. Pure.
 */
export function starterFiles(): readonly StarterFile[] {
  return [
    ...configuration(),
    ...embedded.map(([path, text]) => ({ path, text: textOf(path, text) })),
  ];
}

/**
 * In a checkout the templates and the secrets lie beside `config/`; here they lie beside
 * `beds.toml`.
 */
function configuration(): readonly StarterFile[] {
  return [
    {
      path: "beds.toml",
      text: textOf("beds.toml", base).replace('path = "../templates"', 'path = "templates"'),
    },
    {
      path: "env_dev.example.toml",
      text: textOf("env_dev.example.toml", devExample)
        .replaceAll("file:../.stack/secrets/", "file:secrets/")
        .replace(/; the local stack\s+# \(`npm run stack`\) writes that file by itself/, ""),
    },
    { path: ".gitignore", text: "env_dev.toml\nenv_qa.toml\nenv_prod.toml\nsecrets/\n" },
  ];
}

/** A loader that does not know the extension would give a path or a table instead of the text. */
function textOf(path: string, text: unknown): string {
  if (typeof text === "string") return text;
  throw new BedsError("BEDS-B001", { detail: `${path} was not embedded as text` });
}

const embedded: readonly (readonly [path: string, text: unknown])[] = [
  ["templates/db/app/functions/exr_count.sql", appFunctionsExrCountSql],
  ["templates/db/app/procedures/exr_create.sql", appProceduresExrCreateSql],
  ["templates/db/app/procedures/exr_fetch_by_id.sql", appProceduresExrFetchByIdSql],
  ["templates/db/app/procedures/exr_fetch_since.sql", appProceduresExrFetchSinceSql],
  ["templates/db/app/procedures/exr_remove.sql", appProceduresExrRemoveSql],
  ["templates/db/app/procedures/exr_reprice.sql", appProceduresExrRepriceSql],
  ["templates/db/app/procedures/exr_update.sql", appProceduresExrUpdateSql],
  ["templates/db/app/tables/exr_item.sql", appTablesExrItemSql],
  ["templates/db/app/views/exr_listed_v.sql", appViewsExrListedVSql],
  ["templates/db/docs/collections/exc.json", docsCollectionsExcJson],
  ["templates/db/docs/collections/msl.json", docsCollectionsMslJson],
  ["templates/db/docs/objects/exc_create.json", docsObjectsExcCreateJson],
  ["templates/db/docs/objects/exc_fetch_by_id.json", docsObjectsExcFetchByIdJson],
  ["templates/db/docs/objects/exc_fetch_since.json", docsObjectsExcFetchSinceJson],
  ["templates/db/docs/objects/exc_remove.json", docsObjectsExcRemoveJson],
  ["templates/db/docs/objects/exc_restock.json", docsObjectsExcRestockJson],
  ["templates/db/docs/objects/exc_search.json", docsObjectsExcSearchJson],
  ["templates/db/docs/objects/exc_summary.json", docsObjectsExcSummaryJson],
  ["templates/db/docs/objects/exc_update.json", docsObjectsExcUpdateJson],
  ["templates/db/docs/objects/msl_create.json", docsObjectsMslCreateJson],
  ["templates/db/docs/objects/msl_fetch_by_root.json", docsObjectsMslFetchByRootJson],
  ["templates/db/docs/objects/msl_fetch_recent.json", docsObjectsMslFetchRecentJson],
  ["templates/db/docs/views/exc_item_v.json", docsViewsExcItemVJson],
  ["templates/db/docs/views/exc_listed_v.json", docsViewsExcListedVJson],
  ["templates/db/docs/views/msl_record_v.json", docsViewsMslRecordVJson],
  ["templates/example_rec.toml", exampleRecToml],
  ["templates/example_rel.toml", exampleRelToml],
  ["templates/mst_logger_rec.toml", mstLoggerRecToml],
];
