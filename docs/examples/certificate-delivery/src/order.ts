/**
 * Order the delivery of a company's business licence, or ask the post where an item is. See README.md.
 *
 * node dist/order.js CODE NAME ID-NUMBER PHONE DISTRICT ADDRESS
 * node dist/order.js track NUMBER
 */
import { ApiError, Kaimen } from "kaimen";

const client = new Kaimen({ headers: { "accept-language": "en" } }); // KAIMEN_BASE_URL, KAIMEN_CLIENT_ID, KAIMEN_CLIENT_SECRET

async function track(number: string): Promise<number> {
  const order = await client.post.order.get(number);
  console.log(`${order.number}  ${order.status}`);
  for await (const event of client.post.event.list(number)) {
    console.log(`  ${event.at}  ${event.place}  ${event.englishText}`);
  }
  return 0;
}

async function order(code: string, name: string, idNumber: string, phone: string, districtCode: string, address: string): Promise<number> {
  const licence = await client.company.licence.get(code);
  if (licence.status !== "valid") {
    console.error(`The licence of ${licence.companyName} is ${licence.status}: nothing to deliver.`);
    return 1;
  }
  const made = await client.post.order.create({
    item: { kind: "business-licence", companyCode: code },
    recipient: { name, idNumber, phone },
    destination: { districtCode, address },
    service: "standard",
  });
  console.log(`${made.number}  ${made.status}  licence ${made.item.licenceNumber}, ¥${made.feeYuan}`);
  return 0;
}

async function main(): Promise<number> {
  const [first, second, ...rest] = process.argv.slice(2);
  const [idNumber, phone, district, address] = rest;
  if (first === "track" && second !== undefined) return track(second);
  if (first === undefined || second === undefined || idNumber === undefined || phone === undefined || district === undefined || address === undefined) {
    console.error("order.js CODE NAME ID-NUMBER PHONE DISTRICT ADDRESS | order.js track NUMBER");
    return 64;
  }
  return order(first, second, idNumber, phone, district, address);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof ApiError)) throw error;
  console.error(`Refused: ${error.title}\n${error.detail}\n${error.next}\nrequest ${error.requestId}`);
  process.exitCode = 2;
}
