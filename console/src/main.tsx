import './console.css';
import { useSignal } from '@preact/signals';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { focused, isLaunching } from './actions.ts';
import {
  Attention,
  Breakage,
  Confirm,
  Drawer,
  Header,
  Help,
  Launch,
  LogIn,
  Notice,
  nextGroup,
  Table,
  Tail,
  Targets,
} from './parts.tsx';
import { faultsOnly, follow, isPaused, mayWrite, needsToken, open, outage, setPaused } from './state.ts';
import { zone } from './times.ts';

/** Moves the focus in the table, in the order that the rows have on the page; from outside of it to the first row. */
const step = (by: 1 | -1): void => {
  const names = [...document.querySelectorAll<HTMLElement>('tr[data-row] .name')];
  const index = names.findIndex((name) => name.matches(':focus'));
  names[index === -1 ? 0 : Math.min(Math.max(index + by, 0), names.length - 1)]?.focus();
};

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement ||
  target instanceof HTMLTextAreaElement ||
  target instanceof HTMLSelectElement;

const pressed: Readonly<Record<string, () => void>> = {
  '/': () => document.querySelector<HTMLInputElement>('#filter')?.focus(),
  f: () => (faultsOnly.value = !faultsOnly.peek()),
  g: nextGroup,
  j: () => step(1),
  ArrowDown: () => step(1),
  k: () => step(-1),
  ArrowUp: () => step(-1),
  ' ': () => setPaused(!isPaused.peek()),
  n: () => (isLaunching.value = mayWrite.peek()),
  c: () => (zone.value = zone.peek() === 'UTC' ? 'local' : 'UTC'),
};

const closeDrawer = (): void => {
  const { value: key } = open;
  open.value = undefined;
  if (key !== undefined) focused.value = key;
};

const close = (target: EventTarget | null): void => {
  if (isTyping(target) && target instanceof HTMLElement) target.blur();
  else closeDrawer();
};

const press = (event: KeyboardEvent, actions: typeof pressed): void => {
  const action = actions[event.key];
  if (action === undefined) return;
  event.preventDefault();
  action();
};

/** A shortcut of the browser, a dialog's key, or the space that presses a button. */
const isForOthers = ({ ctrlKey, metaKey, altKey, key, target }: KeyboardEvent): boolean => {
  if (ctrlKey || metaKey || altKey || document.querySelector('dialog[open]')) return true;
  return key === ' ' && target instanceof HTMLElement && target.closest('button, summary') !== null;
};

const Page = () => {
  const isHelping = useSignal(false);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (isForOthers(event)) return;
      if (event.key === 'Escape') close(event.target);
      else if (!isTyping(event.target)) press(event, { ...pressed, '?': () => (isHelping.value = true) });
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
  if (needsToken.value !== undefined)
    return (
      <main>
        <LogIn />
      </main>
    );
  return (
    <>
      <Header help={() => (isHelping.value = true)} />
      <main class={outage.value ? 'lost' : undefined}>
        <Notice />
        <div class="columns">
          <div class="wide">
            <Attention />
            <Table />
            <Targets />
            <Breakage />
          </div>
          <div class="narrow">
            <Drawer />
            <Tail />
          </div>
        </div>
      </main>
      <Launch />
      <Confirm />
      <Help isOpen={isHelping.value} close={() => (isHelping.value = false)} />
    </>
  );
};

const app = document.querySelector('#app');
if (app) render(<Page />, app);
void follow();
