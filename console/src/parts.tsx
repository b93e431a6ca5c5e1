import { computed, useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { ServiceType } from '../../shared/core/kind.ts';
import type { OverviewTarget } from '../../shared/wire/overview.ts';
import {
  act,
  actionsOf,
  asking,
  focused,
  happen,
  isLaunching,
  launch,
  question,
  setFault,
  setNats,
  specOf,
} from './actions.ts';
import { type Event, isLaptop, type Resource, readEvents, readResource } from './api.ts';
import { commandsFor } from './commands.ts';
import { Ago, Status, Strip, Timeline } from './marks.tsx';
import {
  answeredMs,
  collectionOf,
  counts,
  faultsOnly,
  filter,
  filtered,
  type Group,
  group,
  groups,
  isDescending,
  isHeld,
  isLabelGroup,
  isPartial,
  isPaused,
  isStreaming,
  isTroubled,
  labelKeys,
  laptop,
  loadAll,
  logIn,
  mayWrite,
  moreRows,
  nameOf,
  needsToken,
  notice,
  open,
  outage,
  overview,
  pathOf,
  placeNow,
  type Row,
  rowOf,
  type Sort,
  seen,
  setPaused,
  shown,
  sort,
  span,
  targetNamed,
  targets,
  terms,
  total,
  troubled,
  waiting,
} from './state.ts';
import { clockTime, duration, fullTime, nowMs, zone, zoneName } from './times.ts';

const themes = ['system', 'dark', 'light'] as const;

const nextTheme = (): void => {
  const { dataset } = document.documentElement;
  const index = themes.findIndex((theme) => theme === (dataset.theme ?? 'system'));
  dataset.theme = themes[(index + 1) % themes.length] ?? 'system';
};

/** Whether the page is live, always in sight. */
const Live = () => {
  const text = useComputed(() => {
    const { value: failed } = outage;
    if (failed !== undefined) return `not live since ${clockTime(failed.sinceMs)}`;
    if (answeredMs.value === undefined) return 'connecting';
    if (isStreaming.value) return 'live · streaming';
    const ageMs = Math.max(0, Date.now() - answeredMs.value);
    return nowMs.value && `live · ${(ageMs / 1000).toFixed(1)} s ago`;
  });
  return (
    <span class={outage.value ? 'live lost' : 'live'} role="status">
      <i aria-hidden="true" />
      <span>{text}</span>
      {outage.value && (
        <span class="why" title={outage.value.reason}>
          {outage.value.reason}
        </span>
      )}
    </span>
  );
};

const allGroups = computed((): readonly Group[] => [
  ...groups,
  ...labelKeys.value.map((key) => `label.${key}` as const),
]);

export const nextGroup = (): void => {
  const all = allGroups.peek();
  group.value = all[(all.indexOf(group.peek()) + 1) % all.length] ?? 'none';
};

const Choice = <Word extends string>({
  label,
  value,
  words,
  choose,
}: {
  readonly label: string;
  readonly value: Word;
  readonly words: readonly (readonly [Word, string])[];
  readonly choose: (word: Word) => void;
}) => (
  <label class="choice">
    {label}
    <select
      value={value}
      onChange={({ currentTarget }) => {
        const chosen = words.find(([word]) => word === currentTarget.value);
        if (chosen) choose(chosen[0]);
      }}
    >
      {words.map(([word, text]) => (
        <option key={word} value={word}>
          {text}
        </option>
      ))}
    </select>
  </label>
);

export const Header = ({ help }: { readonly help: () => void }) => {
  const { provider = 'EC2 Service Provider', version = '' } = overview.value ?? {};
  return (
    <header>
      <h1>
        <span class="mark" aria-hidden="true">
          dcm
        </span>
        {provider} <small>{version}</small>
      </h1>
      <Live />
      <button type="button" aria-pressed={isPaused.value} onClick={() => setPaused(!isPaused.value)}>
        {isPaused.value ? 'Resume' : 'Pause'} <kbd>space</kbd>
      </button>
      <span class="grow" />
      {mayWrite.value && (
        <button type="button" class="main" onClick={() => (isLaunching.value = true)}>
          Launch <kbd>n</kbd>
        </button>
      )}
      <button
        type="button"
        onClick={() => (zone.value = zone.value === 'UTC' ? 'local' : 'UTC')}
        title="Clock"
      >
        {zoneName} <kbd>c</kbd>
      </button>
      <button type="button" onClick={nextTheme} aria-label="Change between dark and light">
        ◐
      </button>
      <button type="button" onClick={help} aria-label="Keyboard shortcuts">
        <kbd>?</kbd>
      </button>
    </header>
  );
};

const illIn = ({ providers }: OverviewTarget) => providers.filter(({ health }) => health !== 'healthy');

const Health = ({ target }: { readonly target: OverviewTarget }) => {
  const ill = illIn(target);
  if (target.providers.length === 0) return <span class="badge">reports only</span>;
  if (ill.length === 0) return <span class="badge good">healthy</span>;
  return (
    <span class="badge bad">unhealthy: {ill.map(({ serviceType }) => nameOf[serviceType]).join(', ')}</span>
  );
};

const registrationOf = ({ providers }: OverviewTarget): string => {
  const known = providers.flatMap(({ registration }) => registration ?? []);
  if (known.length === 0) return 'not registered here';
  const bad = known.filter(({ outcome }) => outcome !== 'registered');
  return bad.length === 0 ? `${known.length} registered at DCM` : bad.map(({ detail }) => detail).join('; ');
};

/** `security groups`, `1 address`. */
const inWords = (collection: string, count: number): string => {
  const words = collection.replace('-', ' ').replace('vpc', 'VPC');
  return count === 1 ? words.replace(/(?<=ss)es$|s$/, '') : words;
};

const trippedIn = ({ listings }: OverviewTarget) =>
  listings.filter(({ breakerSince }) => breakerSince !== undefined);

const Target = ({ target }: { readonly target: OverviewTarget }) => {
  const details = target.providers.flatMap(({ detail }) => detail ?? []);
  const breakers = trippedIn(target);
  const items = target.inventory?.filter(({ count }) => count > 0) ?? [];
  return (
    <li class="target">
      <h3>
        {target.name} <Health target={target} />
      </h3>
      {breakers.map(({ serviceType, breakerSince = '' }) => (
        <p key={serviceType} class="warning">
          Breaker: too many {collectionOf[serviceType]} are missing from listings at once. No deletion is
          reported since {clockTime(Date.parse(breakerSince))}.
        </p>
      ))}
      {[...new Set(details)].map((detail) => (
        <p key={detail} class="warning">
          {detail}
        </p>
      ))}
      <dl>
        {target.listings.map(
          ({ serviceType, mode, intervalSeconds, listedAt, resources, healed, healedAt }) => (
            <div key={serviceType}>
              <dt>
                {resources} {resources === 1 ? nameOf[serviceType] : `${nameOf[serviceType]}s`}
              </dt>
              <dd>
                {mode}, every {intervalSeconds} s, listed{' '}
                {listedAt === undefined ? 'never' : <Ago ms={Date.parse(listedAt)} />}
                {listedAt !== undefined && ' ago'}
                {healed !== undefined && (
                  <span
                    title="What a listing found that no event had reported"
                    class={healed > 0 ? 'healed' : undefined}
                  >
                    , healed {healed}
                    {healedAt !== undefined && (
                      <>
                        , the last <Ago ms={Date.parse(healedAt)} /> ago
                      </>
                    )}
                  </span>
                )}
              </dd>
            </div>
          ),
        )}
      </dl>
      <p class="faint">{registrationOf(target)}</p>
      {target.inventory !== undefined && (
        <p class="faint">
          Inventory:{' '}
          {items.map(({ collection, count }) => `${count} ${inWords(collection, count)}`).join(', ') ||
            'empty'}
        </p>
      )}
    </li>
  );
};

export const Targets = () => (
  <section aria-labelledby="targets">
    <h2 id="targets">Targets</h2>
    <ul class="targets">
      {targets.value.map((target) => (
        <Target key={target.name} target={target} />
      ))}
    </ul>
    {overview.value?.problems.map((problem) => (
      <p key={problem} class="warning">
        {problem}
      </p>
    ))}
  </section>
);

/** On a laptop alone: what can be broken. */
export const Breakage = () => {
  const { value: state } = laptop;
  if (state === undefined) return null;
  const { nats, faults } = state;
  return (
    <section aria-labelledby="breakage">
      <h2 id="breakage">Break it</h2>
      <p class="faint">
        On this machine alone. Nothing is lost: watch the statuses come in when it works again.
      </p>
      <ul class="faults">
        {nats !== 'external' && (
          <li>
            <button
              type="button"
              aria-pressed={nats === 'stopped'}
              onClick={() => setNats(nats === 'stopped')}
            >
              {nats === 'stopped' ? 'Start NATS again' : 'Stop NATS'}
            </button>
            <span>Statuses wait in the outbox, and are published in order once NATS is back.</span>
          </li>
        )}
        {faults.map(({ id, label, about, isOn }) => (
          <li key={id}>
            <button type="button" aria-pressed={isOn} onClick={() => setFault(id, label, !isOn)}>
              {label}
            </button>
            <span>{about}</span>
          </li>
        ))}
      </ul>
    </section>
  );
};

const show = (row: Row): void => {
  open.value = row.key;
};

const TroubledRow = ({ row }: { readonly row: Row }) => {
  const { status, message, timeMs } = row.current.value;
  return (
    <li>
      <button type="button" onClick={() => show(row)}>
        <Status status={status} />
        <strong>{row.dcmId}</strong>
        <span class="faint">
          <Ago ms={timeMs} />
        </span>
        <span class="message">{message}</span>
      </button>
    </li>
  );
};

/** A target whose providers DCM gives no work, or whose deletions the breaker holds back; what is wrong stands at the target. */
const TroubledTarget = ({ target }: { readonly target: OverviewTarget }) => {
  const [ill] = illIn(target);
  const hasTripped = trippedIn(target).length > 0;
  return (
    <li>
      <button type="button" onClick={() => document.getElementById('targets')?.scrollIntoView()}>
        {ill === undefined ? <span class="badge bad">breaker</span> : <Health target={target} />}
        <strong>{target.name}</strong>
        <span class="message">{ill?.detail ?? (hasTripped ? 'No deletion is reported.' : '')}</span>
      </button>
    </li>
  );
};

const mostTroubled = 6;

/** By the current status alone: what a later success made good is not here. */
export const Attention = () => {
  const all = troubled.value;
  const ill = targets.value.filter((one) => illIn(one).length > 0 || trippedIn(one).length > 0);
  const count = all.length + ill.length;
  return (
    <section aria-labelledby="attention" class={count > 0 ? 'attention some' : 'attention'}>
      <h2 id="attention">Needs attention{overview.value !== undefined && ` (${count})`}</h2>
      {count === 0 ? (
        <p class="faint">
          {overview.value === undefined
            ? 'Not known yet.'
            : 'Nothing: no target is unhealthy, and no resource is broken, impaired or stuck.'}
        </p>
      ) : (
        <ul>
          {ill.map((target) => (
            <TroubledTarget key={target.name} target={target} />
          ))}
          {all.slice(0, mostTroubled).map((row) => (
            <TroubledRow key={row.key} row={row} />
          ))}
        </ul>
      )}
      {all.length > mostTroubled && (
        <button type="button" onClick={() => (faultsOnly.value = true)}>
          Show all {all.length}
        </button>
      )}
    </section>
  );
};

const without = (text: string): void => {
  filter.value = terms
    .peek()
    .map((term) => term.text)
    .filter((one) => one !== text)
    .join(' ');
};

const Filters = () => {
  const errors = terms.value.flatMap(({ error }) => error ?? []);
  return (
    <div class="filters">
      <input
        id="filter"
        type="search"
        aria-label="Filter"
        placeholder="Filter: web  status:running  type:vm  changed:15m"
        value={filter.value}
        aria-invalid={errors.length > 0}
        aria-describedby="filter-errors"
        onInput={({ currentTarget }) => (filter.value = currentTarget.value)}
      />
      <button
        type="button"
        aria-pressed={faultsOnly.value}
        onClick={() => (faultsOnly.value = !faultsOnly.value)}
      >
        Faults only <kbd>f</kbd>
      </button>
      <Choice<Group>
        label="Group by"
        value={group.value}
        words={allGroups.value.map((one) => [one, one])}
        choose={(one) => (group.value = one)}
      />
      <Choice
        label="Show the last"
        value={span.value}
        words={[
          ['15m', '15 minutes'],
          ['1h', 'hour'],
          ['24h', '24 hours'],
        ]}
        choose={(one) => (span.value = one)}
      />
      <span class="chips">
        {faultsOnly.value && (
          <button
            type="button"
            class="chip"
            aria-label="Remove the filter faults"
            onClick={() => (faultsOnly.value = false)}
          >
            faults ×
          </button>
        )}
        {terms.value.map(({ text, error }) => (
          <button
            key={text}
            type="button"
            class={error === undefined ? 'chip' : 'chip bad'}
            aria-label={`Remove the filter ${text}`}
            onClick={() => without(text)}
          >
            {text} ×
          </button>
        ))}
      </span>
      <span id="filter-errors" role="alert" class="warning">
        {errors.join('; ')}
      </span>
    </div>
  );
};

const Cell = ({ row }: { readonly row: Row }) => {
  const { status, message, timeMs } = row.current.value;
  return (
    <>
      <td>
        <Status status={status} />
      </td>
      <td class="message">{message}</td>
      <td class="number">
        <Ago ms={timeMs} />
      </td>
    </>
  );
};

const TableRow = ({ row }: { readonly row: Row }) => {
  const button = useRef<HTMLButtonElement>(null);
  useSignalEffect(() => {
    if (focused.value !== row.key) return;
    button.current?.focus();
    focused.value = undefined;
  });
  return (
    <tr data-row={row.key} class={open.value === row.key ? 'open' : undefined}>
      <th scope="row">
        <button ref={button} type="button" class="name" onClick={() => show(row)}>
          {row.dcmId}
        </button>
        <span class="faint">
          {nameOf[row.serviceType]} {row.resourceId}
        </span>
      </th>
      <Cell row={row} />
      <td class="place">
        {row.target}
        <span class="faint">{row.size}</span>
      </td>
      <td class="number">
        <Ago ms={row.createdMs} />
      </td>
      <td>
        <Strip row={row} />
      </td>
    </tr>
  );
};

const Heading = ({ by, children }: { readonly by: Sort; readonly children: ComponentChildren }) => {
  const isSorted = sort.value === by;
  return (
    <th scope="col" aria-sort={isSorted ? (isDescending.value ? 'descending' : 'ascending') : 'none'}>
      <button
        type="button"
        onClick={() => {
          isDescending.value = isSorted && !isDescending.value;
          sort.value = by;
        }}
      >
        {children} <span aria-hidden="true">{isSorted ? (isDescending.value ? '↓' : '↑') : ''}</span>
      </button>
    </th>
  );
};

const mostRows = 200;

const groupOf = (row: Row): string => {
  const target = targetNamed(row.target);
  const of: Readonly<Record<(typeof groups)[number], () => string>> = {
    none: () => '',
    target: () => row.target,
    account: () => target?.account ?? '',
    region: () => target?.region ?? '',
    type: () => `${nameOf[row.serviceType]}s`,
    status: () => row.current.value.status,
  };
  const by = group.value;
  if (!isLabelGroup(by)) return of[by]();
  const labels = row.labels.value;
  return labels === undefined
    ? 'its labels are being read'
    : (labels[by.slice('label.'.length)] ?? 'without the label');
};

export const Table = () => {
  const rows = shown.value.slice(0, mostRows);
  const groupNames = [...new Set(rows.map(groupOf))].sort();
  const release = () => (isHeld.value = false);
  const hold = () => (isHeld.value = true);
  return (
    <section aria-labelledby="resources">
      <div class="heading">
        <h2 id="resources">
          Resources <small>{counted()}</small>
        </h2>
        {waiting.value > 0 && (
          <button type="button" class="chip" onClick={() => (isPaused.value ? setPaused(false) : placeNow())}>
            {waiting.value} new
          </button>
        )}
      </div>
      <Filters />
      <div class="scroll">
        <table onMouseEnter={hold} onMouseLeave={release} onFocusIn={hold} onFocusOut={release}>
          <thead>
            <tr>
              <Heading by="id">Resource</Heading>
              <Heading by="status">Status</Heading>
              <th scope="col">Message</th>
              <Heading by="changed">Since</Heading>
              <Heading by="target">Target</Heading>
              <Heading by="age">Age</Heading>
              <th scope="col">Last {span.value}</th>
            </tr>
          </thead>
          {groupNames.map((name) => (
            <tbody key={name}>
              {group.value !== 'none' && (
                <tr class="group">
                  <th scope="rowgroup" colSpan={7}>
                    {name} <small>{rows.filter((row) => groupOf(row) === name).length}</small>
                  </th>
                </tr>
              )}
              {rows
                .filter((row) => groupOf(row) === name)
                .map((row) => (
                  <TableRow key={row.key} row={row} />
                ))}
            </tbody>
          ))}
        </table>
        {rows.length === 0 && (
          <p class="empty">
            {overview.value === undefined
              ? 'Not known yet.'
              : total.value === 0
                ? 'There are no resources.'
                : 'No resource matches all filters.'}
          </p>
        )}
      </div>
      {shown.value.length > mostRows && (
        <p class="faint">
          {mostRows} of {shown.value.length} are shown. Filter to see the others.
        </p>
      )}
      {moreRows.value > 0 && (
        <button type="button" onClick={loadAll}>
          Load the other {moreRows.value}
        </button>
      )}
    </section>
  );
};

const counted = (): string => {
  const parts = [...counts.value].map(([serviceType, by]) => {
    const all = [...by.values()].reduce((sum, count) => sum + count, 0);
    return `${all} ${all === 1 ? nameOf[serviceType] : `${nameOf[serviceType]}s`}`;
  });
  return `${parts.join(' · ')}${isPartial.value ? ' loaded' : ''}`;
};

const mostTold = 60;

/** From the service's clock to this page. The service's clock has whole seconds. */
const delayText = (ms: number): string => (ms < 1_000 ? '<1 s' : `${(ms / 1000).toFixed(1)} s`);

export const Tail = () => {
  const wanted = seen.value
    .filter(({ row }) => !faultsOnly.value || isTroubled(row))
    .filter(({ row, status, message, timeMs }) =>
      terms.value.every(({ matches }) => matches(filtered(row, { status, message, timeMs }), nowMs.peek())),
    )
    .slice(0, mostTold);
  return (
    <section aria-labelledby="tail" class="tail">
      <h2 id="tail">
        What happens <small>{zoneName}</small>
      </h2>
      <div role="log" aria-live={isPaused.value ? 'off' : 'polite'} aria-labelledby="tail">
        <ol>
          {wanted.map(({ number, row, status, message, timeMs, afterMs }) => (
            <li key={number}>
              <time dateTime={new Date(timeMs).toISOString()}>{clockTime(timeMs)}</time>
              <button type="button" class="name" onClick={() => show(row)}>
                {row.dcmId}
              </button>
              <Status status={status} />
              <span class="faint" title="From the service’s clock, which has whole seconds, to this page">
                {delayText(afterMs)}
              </span>
              <span class="message">{message}</span>
            </li>
          ))}
        </ol>
      </div>
      {wanted.length === 0 && <p class="faint">Statuses appear here as DCM gets them.</p>}
    </section>
  );
};

const copiesOf = (row: Row, resource: Resource | undefined) => {
  const { serviceType, dcmId, target } = row;
  return commandsFor({
    ...{ serviceType, dcmId, target, taskArn: resource?.task_arn, resourceId: row.resourceId.value },
    ...{ region: targetNamed(target)?.region ?? '', url: `${location.origin}${pathOf(row)}` },
  });
};

const useLoaded = (row: Row) => {
  const events = useSignal<readonly Event[]>([]);
  const resource = useSignal<Resource | undefined>(undefined);
  const { status, message } = row.current.value;
  useEffect(() => {
    let isCurrent = true;
    const path = pathOf(row);
    readEvents(path).then(
      (found) => {
        if (isCurrent) events.value = found;
      },
      () => undefined,
    );
    readResource(path).then(
      (found) => {
        if (isCurrent) resource.value = found;
      },
      () => undefined,
    );
    return () => {
      isCurrent = false;
    };
  }, [row.key, status, message]);
  return { events, resource };
};

const Copies = ({ texts }: { readonly texts: ReturnType<typeof copiesOf> }) => {
  const copied = useSignal<string | undefined>(undefined);
  const copy = async (name: string, text: string) => {
    try {
      await navigator.clipboard.writeText(text);
      copied.value = name;
    } catch (error) {
      notice.value = `Copy: the browser refused it (${error instanceof Error ? error.message : error})`;
    }
  };
  return (
    <p class="buttons" aria-live="polite">
      {texts.map(([name, text]) => (
        <button key={name} type="button" title={text} onClick={() => void copy(name, text)}>
          {copied.value === name ? 'copied' : 'as'} {name}
        </button>
      ))}
    </p>
  );
};

const DrawerOf = ({ row }: { readonly row: Row }) => {
  const { events, resource } = useLoaded(row);
  const { status, message, timeMs } = row.current.value;
  const close = () => {
    open.value = undefined;
    focused.value = row.key;
  };
  const published = events.value.map((one) => {
    const timeMs = Date.parse(one.update_time);
    const past = row.history.value.find((seen) => seen.timeMs === timeMs && seen.status === one.status);
    return { ...one, timeMs, requestId: past?.requestId };
  });
  const history = published.length >= row.history.value.length ? published.toReversed() : row.history.value;
  return (
    <aside class="drawer" aria-labelledby="drawer">
      <div class="heading">
        <h2 id="drawer">{row.dcmId}</h2>
        <button type="button" onClick={close}>
          Close <kbd>esc</kbd>
        </button>
      </div>
      <p>
        <Status status={status} /> for <Ago ms={timeMs} /> · {nameOf[row.serviceType]} in {row.target}
      </p>
      <p class="message">{message}</p>
      {Object.keys(row.labels.value ?? {}).length > 0 && (
        <p class="chips">
          {Object.entries(row.labels.value ?? {}).map(([key, value]) => (
            <button
              key={key}
              type="button"
              class="chip"
              title="Group by this label"
              onClick={() => (group.value = `label.${key}`)}
            >
              {key}: {value}
            </button>
          ))}
        </p>
      )}
      <p class="buttons">
        {actionsOf(row).map((action) => (
          <button
            key={action}
            type="button"
            class={action === 'delete' ? 'danger' : undefined}
            onClick={() => act(row, action)}
          >
            {action}
          </button>
        ))}
        {status !== 'DELETED' &&
          row.resourceId.value !== '' &&
          laptop.value?.happenings[row.serviceType]?.map((one) => (
            <button key={one.id} type="button" class="fault" onClick={() => happen(row, one)}>
              {one.label}
            </button>
          ))}
      </p>
      <h3>Timeline</h3>
      <Timeline history={history} />
      <ol class="events">
        {published.map((one, index) => (
          <li key={`${one.timeMs} ${one.status} ${one.message}`}>
            <time dateTime={one.update_time}>{fullTime(one.timeMs)}</time> <Status status={one.status} />{' '}
            <span class="faint">
              {index === 0
                ? 'now'
                : `for ${duration((published[index - 1]?.timeMs ?? one.timeMs) - one.timeMs)}`}
            </span>
            <span class="message">{one.message}</span>
            {one.requestId && <span class="request">request {one.requestId}</span>}
          </li>
        ))}
      </ol>
      <h3>Copy</h3>
      <Copies texts={copiesOf(row, resource.value)} />
      <details>
        <summary>JSON</summary>
        <pre>{JSON.stringify(resource.value, undefined, 2)}</pre>
      </details>
    </aside>
  );
};

export const Drawer = () => {
  const row = open.value === undefined ? undefined : rowOf(open.value);
  return row === undefined ? null : <DrawerOf key={row.key} row={row} />;
};

const Dialog = ({
  isOpen,
  label,
  close,
  children,
}: {
  readonly isOpen: boolean;
  readonly label: string;
  readonly close: () => void;
  readonly children: ComponentChildren;
}) => {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen && dialog.current?.open === false) dialog.current.showModal();
    if (!isOpen) dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} aria-label={label} onClose={close}>
      {isOpen && children}
    </dialog>
  );
};

export const Confirm = () => {
  const { value: asked } = question;
  const close = () => (question.value = undefined);
  return (
    <Dialog isOpen={asked !== undefined} label="Confirm" close={close}>
      <p>{asked?.text}</p>
      <p class="buttons">
        <button
          type="button"
          class="danger"
          onClick={() => {
            asked?.confirmed();
            close();
          }}
        >
          {asked?.button}
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
      </p>
    </Dialog>
  );
};

const newName = (serviceType: ServiceType): string =>
  `${{ vm: 'web', container: 'shop', cluster: 'kube' }[serviceType]}-${Math.random().toString(36).slice(2, 6)}`;

const LaunchForm = () => {
  const serviceType = useSignal<ServiceType>('vm');
  const id = useSignal(newName('vm'));
  const places = targets.value.filter(
    (one) => one.mayWrite && one.providers.some((provider) => provider.serviceType === serviceType.value),
  );
  const target = useSignal(places[0]?.name ?? '');
  const spec = useSignal<string | undefined>(undefined);
  const text = spec.value ?? JSON.stringify(specOf(serviceType.value, id.value), undefined, 2);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void launch({ serviceType: serviceType.value, id: id.value, target: target.value, spec: text });
      }}
    >
      <h2>Launch</h2>
      <fieldset>
        <legend>What</legend>
        {ServiceType.options.map((one) => (
          <label key={one}>
            <input
              type="radio"
              name="type"
              checked={serviceType.value === one}
              onChange={() => {
                serviceType.value = one;
                id.value = newName(one);
                spec.value = undefined;
              }}
            />
            {nameOf[one]}
          </label>
        ))}
      </fieldset>
      <label>
        Id
        <input value={id.value} onInput={({ currentTarget }) => (id.value = currentTarget.value)} required />
      </label>
      <Choice
        label="Target"
        value={target.value}
        words={places.map((one) => [one.name, one.name])}
        choose={(one) => (target.value = one)}
      />
      <label>
        Spec
        <textarea
          rows={12}
          value={text}
          onInput={({ currentTarget }) => (spec.value = currentTarget.value)}
        />
      </label>
      {notice.value !== undefined && (
        <p role="alert" class="warning">
          {notice}
        </p>
      )}
      <p class="buttons">
        <button type="submit" class="main" disabled={asking.value !== undefined}>
          Launch {id}
        </button>
        <button type="button" onClick={() => (isLaunching.value = false)}>
          Cancel
        </button>
      </p>
    </form>
  );
};

export const Launch = () => (
  <Dialog isOpen={isLaunching.value} label="Launch" close={() => (isLaunching.value = false)}>
    <LaunchForm />
  </Dialog>
);

export const Notice = () =>
  notice.value === undefined || isLaunching.value ? null : (
    <p class="notice" role="alert">
      {notice}
      <button type="button" onClick={() => (notice.value = undefined)} aria-label="Close the message">
        ×
      </button>
    </p>
  );

const keys: readonly (readonly [string, string])[] = [
  ['/', 'filter'],
  ['f', 'faults only'],
  ['g', 'group by the next criterion'],
  ['j k', 'next and previous resource'],
  ['enter', 'open its timeline'],
  ['esc', 'close'],
  ['space', 'pause, so that nothing moves'],
  ['n', 'launch'],
  ['c', 'clock: UTC or local'],
];

export const Help = ({ isOpen, close }: { readonly isOpen: boolean; readonly close: () => void }) => (
  <Dialog isOpen={isOpen} label="Keyboard shortcuts" close={close}>
    <h2>Keys</h2>
    <dl class="keys">
      {keys.map(([key, what]) => (
        <div key={key}>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
    <p class="buttons">
      <button type="button" onClick={close}>
        Close
      </button>
    </p>
  </Dialog>
);

export const LogIn = () => {
  const given = useSignal('');
  if (isLaptop && needsToken.value === '')
    return <p class="empty">Waiting for the laptop’s control server.</p>;
  return (
    <form
      class="login"
      onSubmit={(event) => {
        event.preventDefault();
        logIn(given.value.trim());
      }}
    >
      <h2>Token</h2>
      <p>A token of the provider’s API. It stays in this tab, and is sent to the provider alone.</p>
      <label>
        Token
        <input
          type="password"
          autocomplete="off"
          value={given.value}
          onInput={({ currentTarget }) => (given.value = currentTarget.value)}
          required
        />
      </label>
      {needsToken.value !== '' && (
        <p role="alert" class="warning">
          {needsToken}
        </p>
      )}
      <button type="submit" class="main">
        Show the console
      </button>
    </form>
  );
};
