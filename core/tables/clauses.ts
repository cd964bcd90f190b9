/** The clauses of DynamoDB's conditions that rows of every guarantee share, each by what it says. */

export const rowDoesNotExist = 'attribute_not_exists(pk)';
export const rowExists = 'attribute_exists(pk)';
export const rowIsOfTheSameBody = '#fingerprint = :fingerprint';
/** A row of another version lacks attributes that a copy must not add to it (I1). */
export const rowHasTheseAttributes = '#rowVersion = :rowVersion';
export const rowIsOfThisOwner = '#firstDeliveryId = :firstDeliveryId';

export const either = (...clauses: readonly string[]) => clauses.join(' OR ');
export const both = (...clauses: readonly string[]) => `(${clauses.join(' AND ')})`;
