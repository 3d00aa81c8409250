// One device: who uses it, and what came from it.

import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconListCheck } from "@tabler/icons-react";
import { useParams } from "@tanstack/react-router";
import { $api, type Schemas } from "../../api";
import { useMay, useMayNot } from "../../app/session";
import { Answer } from "../../parts/Answer";
import { Chip } from "../../parts/Chip";
import { browserOf } from "../../parts/browser";
import { placeOf, shortFingerprint } from "../../parts/Columns";
import { Copy } from "../../parts/Copy";
import { bounded } from "../../parts/counts";
import { Facts, Page, Panel } from "../../parts/Page";
import { PageLink } from "../../parts/PageLink";
import { IdentitiesOf } from "../../parts/Lists";
import { Time } from "../../parts/Time";
import { AddToList } from "../lists/AddToList";
import { Components } from "./Components";
import { DisregardDevice } from "./DisregardDevice";

type Device = Schemas["UsedDeviceBody"];

export function DevicePage() {
  const { fingerprint = "" } = useParams({ strict: false });
  const device = $api.useQuery("get", "/api/devices/{fingerprint}", { params: { path: { fingerprint } } });
  return (
    <Page title={`Device ${shortFingerprint(fingerprint)}`} mayNot={useMayNot("triage", "disregard a device or put it on a list")} actions={device.data && <Actions device={device.data} />}>
      <Answer of={device} lines={8}>
        {(device) => (
          <>
            <Panel><About device={device} /></Panel>
            <Panel title="Identities" note="Seen on this device." actions={<PageLink to="/events" search={{ device: fingerprint } as never} fz="sm">Events</PageLink>}>
              <IdentitiesOf filter={{ device: fingerprint }} />
            </Panel>
            <Components fingerprint={fingerprint} />
          </>
        )}
      </Answer>
    </Page>
  );
}

function Actions({ device }: { device: Device }) {
  const { triage } = useMay();
  const [isOpen, { open, close }] = useDisclosure(false);
  if (!triage) return null;
  const { fingerprint, ip, asn } = device;
  const shown: Record<string, string | null | undefined> = { DEVICE: fingerprint, IP: ip, NETWORK: ip, ASN: asn };
  return (
    <>
      <Button size="xs" variant="default" leftSection={<IconListCheck size={14} />} onClick={open}>Add to a list…</Button>
      <DisregardDevice device={device} />
      <AddToList shown={(type) => shown[type] ?? ""} first="DEVICE" isOpen={isOpen} close={close} />
    </>
  );
}

function About({ device }: { device: Device }) {
  const { fingerprint, ip, asn, asnLabel, userAgent, timezone, disregarded, firstSeenAt, lastSeenAt, identityCount, identityCountIsExact } = device;
  return (
    <Facts
      facts={[
        ["Fingerprint", <><span className="mono">{fingerprint}</span> <Copy text={fingerprint} label="fingerprint" />{disregarded && <> <Chip tone={2}>Disregarded</Chip></>}</>],
        ["Identities", bounded(identityCount, identityCountIsExact)],
        ["Browser", userAgent && <>{browserOf(userAgent)} <span className="mono">{userAgent}</span></>],
        ["IP address", ip && <span className="mono">{ip}</span>],
        ["Network", [asn, asnLabel].filter(Boolean).join(" ") || null],
        ["Location", placeOf(device)],
        ["Time zone", timezone],
        ["First seen", <Time at={firstSeenAt} />],
        ["Last event", <Time at={lastSeenAt} />],
      ]}
    />
  );
}
