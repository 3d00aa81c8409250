// Colours and sizes. Text has a contrast of at least 4.5 to what is behind it (WCAG AA), in the dark as in the light.

import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const ink: MantineColorsTuple = [
  "#eef0ff", "#dcdffb", "#b8bcf3", "#9298ec", "#7d84ea", "#5d64dd", "#4d53cc", "#4347ba", "#3b3fb6", "#2f338f",
];

export const theme = createTheme({
  colors: { ink },
  primaryColor: "ink",
  primaryShade: 8,
  autoContrast: true,
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace",
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.125rem" },
  headings: { sizes: { h1: { fontSize: "1.375rem" }, h2: { fontSize: "1.0625rem" }, h3: { fontSize: "0.9375rem" } } },
  components: {
    Anchor: { defaultProps: { underline: "hover" } },
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    // A dialog is there at once: what is typed next is meant for it.
    Modal: { defaultProps: { centered: true, transitionProps: { duration: 0 }, closeButtonProps: { "aria-label": "Close" } } },
    Notification: { defaultProps: { closeButtonProps: { "aria-label": "Close" } } },
    Tooltip: { defaultProps: { withArrow: true, events: { hover: true, focus: true, touch: true } } },
  },
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#5a6068",
    "--mantine-color-placeholder": "#656b73",
    "--mantine-color-error": "#c92a2a",
    "--mantine-color-anchor": "#3b3fb6",
  },
  dark: {
    "--mantine-color-dimmed": "#a8adb5",
    "--mantine-color-placeholder": "#9ba0a8",
    "--mantine-color-error": "#ff8787",
    "--mantine-color-anchor": "#9aa0f0",
  },
});
