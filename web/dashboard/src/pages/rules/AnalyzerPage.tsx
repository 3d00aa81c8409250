// An analyzer, as far as labels say how often it was right.

import { Grid, Stack, Text } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { Answer } from "../../parts/Answer";
import { Facts, Page, Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { AccuracyCell } from "./Accuracy";
import { AnalyzerRecord } from "./Record";
import { useAccuracy } from "./tally";

export function AnalyzerPage() {
  const { id = "" } = useParams({ strict: false });
  const accuracy = useAccuracy();
  const found = accuracy.data?.analyzers.find((one) => one.id === id);
  return (
    <Page title={found ? `Analyzer: ${found.label}` : "Analyzer"} actions={<PageLink to="/rules" fz="sm">All rules</PageLink>}>
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 5 }}>
          <Panel title="Is it right?" note="By the labels of those against whom it spoke.">
            <Answer of={accuracy} lines={2}>
              {() => (
                <Facts
                  facts={[
                    ["Id", <span className="mono">{id}</span>],
                    ["Right or wrong", found ? <AccuracyCell tally={{ ...found, tookHold: found.right + found.wrong }} /> : <Text span c="dimmed" inherit>It has not spoken against anybody who is labeled.</Text>],
                  ]}
                />
              )}
            </Answer>
          </Panel>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 7 }}><Stack gap="md"><AnalyzerRecord id={id} /></Stack></Grid.Col>
      </Grid>
    </Page>
  );
}
