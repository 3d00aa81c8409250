-- An identity's badges are found by its standing.
drop index badges_identity;
