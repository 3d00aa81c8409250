/** A list that the API answers as a whole, as the one page of a table. */
export function whole<Row>(content: Row[]) {
  return { content, pageNumber: 0, pageSize: content.length, totalElements: content.length, totalIsExact: true, first: true, last: true };
}
