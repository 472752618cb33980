"""Types of the daily check: bank = ledger + in transit, and everything in which they differ."""

from __future__ import annotations

import strawberry
from strawberry.types import Info

from parpour_api.graphql.banking.values import page_in
from parpour_api.graphql.paging import After, Connection, First, connection_of
from parpour_api.graphql.session import Session
from parpour_api.graphql.types import Money, money, session_of
from parpour_treasury.reconciliation.reconciler import Check, Difference, bank_check


@strawberry.type(description="One thing in which bank and books differ.")
class BankDifference:
    """A difference."""

    item: str = strawberry.field(description="In transit, open exception, decided, other day, opening, not reconciled.")
    subject: str = strawberry.field(description="For example journal/7-1 or statement/3-1-2.")
    amount: Money = strawberry.field(description="What the bank has more for it.")


@strawberry.type(description="What the bank has more for one kind of thing.")
class BankDifferenceTotal:
    """Differences of one kind."""

    item: str
    count: int
    amount: Money


@strawberry.type(description="Bank and books at the end of a statement, and everything in which they differ.")
class BankCheck:
    """The daily check."""

    bank: Money
    ledger: Money
    difference: Money = strawberry.field(description="What the bank has more.")
    unexplained: Money = strawberry.field(description="What of it nothing explains; zero, or the tables contradict.")
    agrees: bool = strawberry.field(description="Whether bank = ledger + in transit, all else decided or in the queue.")
    totals: list[BankDifferenceTotal]
    row: strawberry.Private[Check]
    currency: strawberry.Private[str]
    name: strawberry.Private[str]

    @classmethod
    def of(cls, row: Check, currency: str, name: str) -> BankCheck:
        """The check of a row."""
        items = sorted({one.item for one in row.differences})
        return cls(
            bank=money(row.bank, currency),
            ledger=money(row.ledger, currency),
            difference=money(row.difference, currency),
            unexplained=money(row.unexplained, currency),
            agrees=row.agrees,
            totals=[
                BankDifferenceTotal(
                    item=item,
                    count=sum(one.item == item for one in row.differences),
                    amount=money(row.total(item), currency),
                )
                for item in items
            ],
            row=row,
            currency=currency,
            name=name,
        )

    @strawberry.field(description="The differences, by kind.")
    def differences(self, info: Info, first: First = None, after: After = None) -> Connection[BankDifference]:
        """A page of the differences."""
        session = session_of(info)
        page = page_in(session, self.name, first, None, after, None)
        behind = ("", "") if page.after is None else (str(page.after[0]), str(page.after[1]))
        rows = [one for one in self.row.differences if (one.item, one.subject) > behind][: page.read_limit]
        return connection_of(
            rows, page, node=self._told, cursor=lambda row: session.cursor(self.name, row.item, row.subject)
        )

    def _told(self, row: Difference) -> BankDifference:
        return BankDifference(item=row.item, subject=row.subject, amount=money(row.amount, self.currency))


async def check_of(session: Session, account: int, statement: int, currency: str) -> BankCheck:
    """The check at the end of a statement that stands."""
    row = await session.reader.read(lambda connection: bank_check(connection, account, number=statement))
    return BankCheck.of(row, currency, f"differences {account} {statement}")
