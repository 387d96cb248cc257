package bank;

import gov.kaimen.sdk.app0a1b2c3d.ApiException;
import gov.kaimen.sdk.app0a1b2c3d.CallOptions;
import gov.kaimen.sdk.app0a1b2c3d.CreditReport;
import gov.kaimen.sdk.app0a1b2c3d.Json;
import gov.kaimen.sdk.app0a1b2c3d.Kaimen;
import gov.kaimen.sdk.app0a1b2c3d.TaxPaid;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A bank decides on a loan from what the company let it read. See README.md. */
public final class Bank {
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private static final PrintStream ERR = new PrintStream(System.err, true, StandardCharsets.UTF_8);
    private static final String USAGE =
            "bank.Bank (--persona NAME | --browser) [--company CODE] [--refuse FIELD]… [--amount YUAN] [--port PORT] [--json]";

    private String persona = "";
    private String company = "";
    private boolean isBrowser;
    private boolean isJson;
    private long amount = 1_000_000;
    private int port = 8765;
    private final List<String> refused = new ArrayList<>();

    /** Exit code 0: a loan; 1: no loan; 2: the platform refused. */
    public static void main(String[] arguments) throws Exception {
        int code;
        try {
            code = new Bank(arguments).run();
        } catch (IllegalArgumentException | IllegalStateException wrong) {
            ERR.println(wrong.getMessage());
            code = 64;
        }
        System.exit(code);
    }

    private Bank(String... arguments) {
        for (int at = 0; at < arguments.length; at++) {
            switch (arguments[at]) {
                case "--browser" -> isBrowser = true;
                case "--json" -> isJson = true;
                case "--persona" -> persona = value(arguments, ++at);
                case "--company" -> company = value(arguments, ++at);
                case "--refuse" -> refused.add(value(arguments, ++at));
                case "--amount" -> amount = Long.parseLong(value(arguments, ++at));
                case "--port" -> port = Integer.parseInt(value(arguments, ++at));
                default -> throw new IllegalArgumentException("unknown: " + arguments[at] + "\n" + USAGE);
            }
        }
        if (isBrowser != persona.isEmpty()) {
            throw new IllegalArgumentException(USAGE);
        }
    }

    private int run() throws Exception {
        String origin = setting("KAIMEN_BASE_URL");
        Consents consents = new Consents(origin, setting("KAIMEN_CLIENT_ID"), setting("KAIMEN_CLIENT_SECRET"));
        try {
            Consents.Consent consent =
                    isBrowser
                            ? consents.inBrowser(port, address -> ERR.println("Open " + address))
                            : consents.ofPersona(persona, company, refused);
            Kaimen client = Kaimen.builder().baseUrl(origin).accessToken(consent.accessToken()).build();
            CallOptions english = new CallOptions().header("Accept-Language", "en");
            TaxPaid tax = client.tax().taxPaid().get(consent.company(), null, english);
            CreditReport report = client.credit().report().get(consent.company(), english);
            Decision decision = Decision.on(amount, tax, report);
            OUT.println(
                    isJson ? json(consent.company(), decision) : decision.told(tax.has("name") ? tax.name() : consent.company()));
            return decision.isGranted() ? 0 : 1;
        } catch (Consents.RefusedException refusal) {
            return refused(refusal.getMessage(), refusal.requestId());
        } catch (ApiException refusal) {
            return refused(refusal.title() + "\n" + refusal.detail() + "\n" + refusal.next(), refusal.requestId());
        }
    }

    private static int refused(String said, String requestId) {
        ERR.println("The platform refused.\n" + said + "\nrequest " + (requestId.isEmpty() ? "-" : requestId));
        return 2;
    }

    private static String json(String company, Decision decision) {
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("company", company);
        told.put("is_granted", decision.isGranted());
        told.put("amount_yuan", decision.amountYuan());
        told.put("rate_basis_points", decision.rateBasisPoints());
        told.put("reasons", decision.reasons());
        return Json.write(told);
    }

    private static String value(String[] arguments, int at) {
        if (at == arguments.length) {
            throw new IllegalArgumentException(USAGE);
        }
        return arguments[at];
    }

    private static String setting(String name) {
        String found = System.getenv(name);
        if (found == null || found.isEmpty()) {
            throw new IllegalStateException("set " + name + " (see README.md)");
        }
        return found;
    }
}
