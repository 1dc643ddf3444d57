-- A home may be wanted for something else than a recount: to be removed.
ALTER TABLE usage RENAME COLUMN recount TO wanted;
