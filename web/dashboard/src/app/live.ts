// Live updates: the server says what has changed, and what is shown of it is asked for again.

import { useEffect, useSyncExternalStore } from "react";
import { refreshOften } from "../api";
import { doubt } from "./reach";

/** Below which paths answers change with a topic. */
const PATHS: Record<string, string[]> = {
  EVENTS: ["/api/events", "/api/dashboard", "/api/mappings/seen", "/api/usage"],
  IDENTITIES: ["/api/identities", "/api/dashboard"],
  GROUPS: ["/api/groups"],
  DEVICES: ["/api/devices"],
  ESCALATIONS: ["/api/escalations", "/api/dashboard"],
  DELIVERIES: ["/api/deliveries", "/api/channels", "/api/dashboard"],
};
/** A page is not asked for more often than this, however much happens. */
const REFRESH_MS = 1_500;

/** A server that refuses, since it starts, stops or has too many who listen, is asked again after this. */
const AGAIN_MS = 5_000;

type State = "connecting" | "live" | "paused";
let state: State = "connecting";
const listeners = new Set<() => void>();

function become(next: State): void {
  state = next;
  for (const listener of listeners) listener();
}

/** Listens while the page is looked at. */
export function useLive(): void {
  useEffect(() => {
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let again: ReturnType<typeof setTimeout> | undefined;
    const stale = new Set<string>();
    const flush = () => {
      timer = undefined;
      void refreshOften(...stale);
      stale.clear();
    };
    const expire = (topics: string[]) => {
      for (const topic of topics) for (const path of PATHS[topic] ?? []) stale.add(path);
      timer ??= setTimeout(flush, REFRESH_MS);
    };
    const onChange = (message: MessageEvent<string>) => {
      const { topics } = JSON.parse(message.data) as { topics: string[] };
      expire(topics);
    };
    const open = () => {
      if (document.hidden || source) return;
      source = new EventSource("/api/live");
      source.addEventListener("ready", () => {
        become("live");
        // What has happened since the page asked, and before it was listened to, nobody tells.
        expire(Object.keys(PATHS));
      });
      source.addEventListener("change", onChange);
      source.addEventListener("error", () => {
        become("connecting");
        doubt();
        // The browser connects anew by itself, unless the server has refused.
        if (source?.readyState === EventSource.CLOSED) again = setTimeout(reopen, AGAIN_MS);
      });
    };
    const close = () => {
      clearTimeout(again);
      source?.close();
      source = undefined;
    };
    const reopen = () => {
      close();
      open();
    };
    const turn = () => {
      if (!document.hidden) return open();
      close();
      become("paused");
    };
    open();
    document.addEventListener("visibilitychange", turn);
    return () => {
      document.removeEventListener("visibilitychange", turn);
      clearTimeout(timer);
      close();
    };
  }, []);
}

/** Whether updates arrive. */
export function useLiveState(): State {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, () => state);
}
