package bank;

import gov.kaimen.sdk.app0a1b2c3d.CreditReport;
import gov.kaimen.sdk.app0a1b2c3d.Model;
import gov.kaimen.sdk.app0a1b2c3d.TaxPaid;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** The bank's own rules: a decision on a loan from tax paid and a credit report, with reasons. No network. */
record Decision(boolean isGranted, long amountYuan, int rateBasisPoints, List<String> reasons) {
    private static final Map<String, Integer> RATES = Map.of("AAA", 345, "AA", 375, "A", 405, "B", 480);
    private static final String LOWEST_GRADE = "B";
    private static final int YEARS_WANTED = 2;
    private static final int TAX_MULTIPLE = 3; // a loan of at most so many times the tax paid in an average year

    /** Decide. A field that the company did not consent to is not there: then the bank says which one it is missing. */
    static Decision on(long wantedYuan, TaxPaid tax, CreditReport report) {
        List<String> missing =
                Stream.concat(
                                absent(tax, "total_paid_yuan", "total_unpaid_yuan", "years"),
                                absent(report, "grade", "score", "tax_owed_yuan"))
                        .toList();
        if (!missing.isEmpty()) {
            return refused(List.of("the consent does not cover " + String.join(", ", missing)));
        }
        String grade = report.grade().value();
        int years = tax.years().size();
        long owed = Math.max(report.taxOwedYuan(), tax.totalUnpaidYuan());
        List<String> against = new ArrayList<>();
        if (!RATES.containsKey(grade)) {
            against.add("credit grade " + grade + " is below " + LOWEST_GRADE + " (score " + report.score() + ")");
        }
        if (owed > 0) {
            against.add(yuan(owed) + " of tax is owed");
        }
        if (years < YEARS_WANTED) {
            against.add(years + " years of tax records, " + YEARS_WANTED + " are needed");
        }
        if (!against.isEmpty()) {
            return refused(against);
        }
        long amount = Math.min(wantedYuan, tax.totalPaidYuan() / years * TAX_MULTIPLE);
        List<String> reasons = new ArrayList<>();
        reasons.add("credit grade " + grade + " (score " + report.score() + ")");
        reasons.add(yuan(tax.totalPaidYuan()) + " of tax paid from " + tax.fromYear() + " to " + tax.toYear() + ", nothing owed");
        if (amount < wantedYuan) {
            reasons.add("limited to " + TAX_MULTIPLE + " times the tax paid in an average year");
        }
        return new Decision(true, amount, RATES.get(grade), reasons);
    }

    /** For people. */
    String told(String company) {
        String rate = String.format(Locale.ROOT, "%.2f", rateBasisPoints / 100.0);
        String head =
                isGranted ? "GRANTED  " + company + ": " + yuan(amountYuan) + " at " + rate + " % a year" : "REFUSED  " + company;
        return head + "\n  · " + String.join("\n  · ", reasons);
    }

    private static Stream<String> absent(Model answer, String... names) {
        return Stream.of(names).filter(name -> !answer.has(name));
    }

    private static Decision refused(List<String> reasons) {
        return new Decision(false, 0, 0, reasons);
    }

    private static String yuan(long amount) {
        return String.format(Locale.ROOT, "¥%,d", amount);
    }
}
