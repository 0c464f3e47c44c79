/** Groups of items (`batch_size`), and items with an id that an earlier one has. Why: control-plane/docs/store.md. */
export const GROUPS_SCHEMA = `
ALTER TABLE stages ADD COLUMN group_size INTEGER NOT NULL DEFAULT 1 CHECK (group_size >= 1);
ALTER TABLE lists ADD COLUMN grouped INTEGER NOT NULL DEFAULT 0 CHECK (grouped IN (0, 1));
ALTER TABLE list_chunks ADD COLUMN repeats TEXT;

CREATE TABLE list_items (
  list_id INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  item TEXT NOT NULL,
  PRIMARY KEY (list_id, ordinal)
) WITHOUT ROWID;

CREATE TABLE list_repeats (
  list_id INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  nth INTEGER NOT NULL CHECK (nth >= 2),
  PRIMARY KEY (list_id, ordinal)
) WITHOUT ROWID;
`;
