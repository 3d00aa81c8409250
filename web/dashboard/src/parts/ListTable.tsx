// A page of a list: columns that sort, rows that open, by pointer or by keys, and the way to the next page.

import { ActionIcon, Button, Checkbox, Group, NativeSelect, Table, Text } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconArrowDown, IconArrowUp, IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { usePageSearch } from "../app/search";
import { useHeld } from "./held";
import { isOfPage } from "./keys";

export interface Column<Row> {
  title: string;
  /** What the API sorts it by, where it does. */
  sort?: string;
  /** The order of the first click; ASC unless said. */
  first?: "ASC" | "DESC";
  cell: (row: Row) => ReactNode;
  width?: number | string;
  /** Where it stands on phones, in a list whose rows are short there; below the others unless said. */
  place?: Place;
  /** Left out on phones, where the table is narrow. */
  isMinor?: boolean;
}

/**
 * Where a cell of a short row stands on phones: what the row is about, with the corner at its right; below that the details of whom it
 * is about, with the side at their right; then parts, as many in a line as there are, and what is left, with headings before it.
 */
export type Place = "head" | "corner" | "side" | "part" | "line" | "none";

interface ListPage<Row> {
  content: Row[];
  pageNumber: number;
  pageSize: number;
  totalElements: number;
  totalIsExact: boolean;
  first: boolean;
  last: boolean;
}

interface Props<Row> {
  /** What the table shows, for those who cannot see it. */
  label: string;
  page: ListPage<Row>;
  columns: Column<Row>[];
  rowKey: (row: Row) => string | number;
  /** Where a row leads. */
  href?: (row: Row) => string;
  /** Instead of the table when no row matches. */
  empty: ReactNode;
  /** Shown while the next page is on its way. */
  isWaiting?: boolean;
  /** The row that keys act on, where the page wants to know. */
  onSelect?: (row: Row | undefined) => void;
  /** Rows that can be chosen, where something can be done with several. */
  choice?: Choice<Row>;
  /** Whether it stays a table on phones. */
  isNarrow?: boolean;
}

export interface Choice<Row> {
  /** The keys of those that are chosen. */
  chosen: ReadonlySet<string | number>;
  onChange: (chosen: ReadonlySet<string | number>) => void;
  /** What a row is called. */
  label: (row: Row) => string;
}

export function ListTable<Row>({ label, page, columns, rowKey, href, empty, isWaiting, onSelect, choice, isNarrow }: Props<Row>) {
  const navigate = useNavigate();
  const [isInHand, take] = useState(false);
  const [selected, setSelected] = useState(-1);
  const { rows, isOld, show } = useHeld(page, rowKey, { isHeld: isInHand || selected >= 0, isWaiting: isWaiting ?? false });
  const body = useRef<HTMLTableSectionElement>(null);
  const open = (row: Row | undefined) => row && href && void navigate({ to: href(row) });
  const move = (step: number) => {
    const next = Math.min(Math.max(selected + step, 0), rows.length - 1);
    setSelected(next);
    body.current?.rows[next]?.scrollIntoView({ block: "nearest" });
  };
  useHotkeys([
    ["j", () => isOfPage() && move(1)],
    ["k", () => isOfPage() && move(-1)],
    // On a link or a button it is theirs.
    ["Enter", ({ target }) => target && isPlain(target) && isOfPage() && open(rows[selected]), { preventDefault: false }],
  ]);
  const current = rows[selected];
  useEffect(() => {
    onSelect?.(current);
  }, [current, onSelect]);
  // Where the table goes from under the pointer, nobody is told that it has left: rows that come later are not to wait for it.
  const isEmpty = rows.length === 0 && page.first;
  useEffect(() => {
    if (isEmpty) take(false);
  }, [isEmpty]);
  if (isEmpty) return <div className="panel">{empty}</div>;
  return (
    <>
      <SortChoice columns={columns} />
      <div
        className="table-box"
        data-waiting={isWaiting || undefined}
        data-stacks={isNarrow ? undefined : true}
        data-short={columns.some(({ place }) => place === "head") || undefined}
        role="group"
        aria-label={label}
        tabIndex={0}
        onPointerEnter={() => take(true)}
        onPointerLeave={() => take(false)}
      >
        <Table verticalSpacing={6} horizontalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              {choice && <Table.Th w={36}><ChooseAll rows={rows} rowKey={rowKey} choice={choice} /></Table.Th>}
              {columns.map((column) => <Heading key={column.title} column={column} />)}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody ref={body}>
            {rows.map((row, index) => (
              <Table.Tr
                key={rowKey(row)}
                data-opens={href ? true : undefined}
                data-selected={index === selected || undefined}
                aria-selected={index === selected || undefined}
                onClick={(event) => isPlain(event.target) && (href ? open(row) : setSelected(index))}
              >
                {choice && <Table.Td w={36}><Choose row={row} rowKey={rowKey} choice={choice} /></Table.Td>}
                {columns.map((column) => <Table.Td key={column.title} w={column.width} data-title={column.title} data-place={column.place ?? "line"} visibleFrom={column.isMinor ? "xs" : undefined}>{column.cell(row)}</Table.Td>)}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {/* Below the table: above it, it would move the rows. */}
      {isOld && (
        <Group gap="xs" role="status">
          <Text fz="sm" c="dimmed">Rows have come or moved. They stay as they are while you are at them.</Text>
          {selected >= 0 && <Button size="compact-xs" variant="default" onClick={() => { setSelected(-1); show(); }}>Show the list as it is now</Button>}
        </Group>
      )}
      <Pager page={page} />
    </>
  );
}

interface Choosing<Row> {
  rowKey: (row: Row) => string | number;
  choice: Choice<Row>;
}

function ChooseAll<Row>({ rows, rowKey, choice: { chosen, onChange } }: Choosing<Row> & { rows: Row[] }) {
  const keys = rows.map(rowKey);
  const count = keys.filter((key) => chosen.has(key)).length;
  const isAll = count === keys.length && count > 0;
  return (
    <Checkbox
      size="xs"
      aria-label="All of this page"
      checked={isAll}
      indeterminate={count > 0 && !isAll}
      onChange={() => onChange(new Set(isAll ? [] : keys))}
    />
  );
}

function Choose<Row>({ row, rowKey, choice: { chosen, onChange, label } }: Choosing<Row> & { row: Row }) {
  const key = rowKey(row);
  const others = [...chosen].filter((one) => one !== key);
  return (
    <Checkbox size="xs" aria-label={label(row)} checked={chosen.has(key)} onChange={(event) => onChange(new Set(event.currentTarget.checked ? [...others, key] : others))} />
  );
}

/** Whether a click was meant for the row, and not for a control in it or for selecting text. */
function isPlain(target: EventTarget): boolean {
  return !(target as Element).closest("a, button, input, label") && getSelection()?.type !== "Range";
}

function Heading<Row>({ column }: { column: Column<Row> }) {
  const [search, change] = usePageSearch();
  if (!column.sort) return <Table.Th visibleFrom={column.isMinor ? "xs" : undefined}>{column.title}</Table.Th>;
  const isSorted = search.sort === column.sort;
  const order = isSorted ? (search.order === "DESC" ? "DESC" : "ASC") : undefined;
  const next = order === undefined ? (column.first ?? "ASC") : order === "ASC" ? "DESC" : "ASC";
  const Arrow = order === "DESC" ? IconArrowDown : IconArrowUp;
  return (
    <Table.Th aria-sort={order === undefined ? "none" : order === "ASC" ? "ascending" : "descending"}>
      <button type="button" onClick={() => change({ sort: column.sort, order: next })}>
        {column.title}
        {/* In the padding of its cell, mostly: columns are as wide as what they say. */}
        <Arrow size={12} aria-hidden style={{ visibility: isSorted ? "visible" : "hidden", marginInlineEnd: -8 }} />
      </button>
    </Table.Th>
  );
}

/** Where rows stand below each other, there are no headings to click on. */
function SortChoice<Row>({ columns }: { columns: Column<Row>[] }) {
  const [search, change] = usePageSearch();
  const orders = columns.flatMap(({ title, sort, first = "ASC" }) => {
    const other = first === "ASC" ? "DESC" : "ASC";
    return sort ? [first, other].map((order) => ({ value: `${sort} ${order}`, label: `${title}, ${order === "ASC" ? "ascending" : "descending"}` })) : [];
  });
  if (orders.length === 0) return null;
  const put = (chosen: string) => {
    const [sort, order] = chosen.split(" ");
    change({ sort: sort || undefined, order });
  };
  return (
    <NativeSelect
      size="sm"
      hiddenFrom="xs"
      aria-label="Sort by"
      data={[{ value: "", label: "Sort by: usual order" }, ...orders]}
      value={search.sort ? `${search.sort} ${search.order === "DESC" ? "DESC" : "ASC"}` : ""}
      onChange={(event) => put(event.currentTarget.value)}
    />
  );
}

function Pager<Row>({ page }: { page: ListPage<Row> }) {
  const [, change] = usePageSearch();
  const begin = page.pageNumber * page.pageSize;
  const go = (number: number) => change({ pageNumber: number === 0 ? undefined : String(number) });
  if (page.first && page.last) return <Text c="dimmed" fz="sm">{page.content.length} total</Text>;
  return (
    <Group gap="xs">
      <ActionIcon variant="default" aria-label="Previous page" disabled={page.first} onClick={() => go(page.pageNumber - 1)}><IconChevronLeft size={16} /></ActionIcon>
      <ActionIcon variant="default" aria-label="Next page" disabled={page.last} onClick={() => go(page.pageNumber + 1)}><IconChevronRight size={16} /></ActionIcon>
      <Text c="dimmed" fz="sm" className="numbers">
        {(begin + 1).toLocaleString("en")} – {(begin + page.content.length).toLocaleString("en")} of {page.totalIsExact ? "" : "more than "}{page.totalElements.toLocaleString("en")}
      </Text>
    </Group>
  );
}
