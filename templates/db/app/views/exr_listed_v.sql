-- ExampleRel.search: the items that are listed, with every field that the template declares.
--
-- BEDS selects the declared fields by name and adds WHERE, ORDER BY and LIMIT itself.

CREATE VIEW exr_listed_v AS
  SELECT exr_id, exr_sku, exr_name, exr_kind, exr_price, exr_cost, exr_stock, exr_listed,
         exr_since, exr_dispatch, exr_ref, exr_details, exr_thumbnail, exr_version,
         exr_created_at
    FROM exr_item
   WHERE exr_listed;
