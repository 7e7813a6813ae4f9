"""The words and the columns of a ledger."""

#: Event words and what they say.
EVENTS = {
    "ordering": "a buyer places an order",
    "receiving": "goods are taken in",
    "storing": "goods are put on a shelf",
    "picking": "goods are taken from a shelf for an order",
    "shipping": "goods are handed to a lane",
    "departing": "a shipment leaves",
    "arriving": "a shipment has come",
    "delivering": "the buyer has the goods",
    "commissioning": "a lot begins to exist",
    "consuming": "units of a lot go into something made",
    "transforming": "lots become another lot",
    "expiring": "goods are thrown away (the cause says why)",
    "scrapping": "units are lost in production",
    "starting": "an operation starts",
    "completing": "an operation ends",
    "setup": "a machine is set up",
    "failing": "something breaks down",
    "repairing": "something works again",
    "lost": "units ordered that will never come",
    "disturbing": "an event of a scenario starts",
    "calming": "an event of a scenario ends",
    "returning": "goods are back from a customer (`site`) at `to_site`",
}

#: Role of a delivery straight from the shelf to a customer who walks in: one row that is order,
#: picking and delivery at once.
WALK_IN = "walk_in"

#: Cause of what is thrown away when it comes back from a customer: it never stood on the shelf.
RETURNED = "returned"

#: Roles and what they say: whose order it is, or what it is that moves.
ROLES = {
    "customer": "a customer's order; `source` names its stream of demand, `parent` the order of "
                "which it is another line",
    WALK_IN: "a customer who walks in and is served at once",
    "passed": "a site passes an order on; `parent` is the order behind it, if it is another one",
    "component": "a released lot asks for a component; `parent` is the order that it is made for",
    "spare": "a repair asks for a part; `asset` is what stands",
    "firm": "a replenishment ordered before the record began; `source` names its row of `orders`",
    "truck": "the truck itself leaves, comes or (starting) loads; `asset` is its name",
    "gate": "a carrier's shipment is at the gate and not yet taken in",
    "lot": "a lot comes to a work centre; `asset` is the step, site/product/step",
}

#: Column -> type: d number, q whole number, s text.
COLUMNS = {
    "time": "d", "recorded": "d", "event": "s", "role": "s", "site": "s", "to_site": "s",
    "product": "s", "lot": "q", "parent": "q", "quantity": "d", "amount": "d", "order": "q",
    "shipment": "q", "asset": "s", "cause": "s", "source": "s",
}
