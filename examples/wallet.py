"""A small wallet: a class, a loop, an exception that is handled, and a secret."""


class Wallet:
    """Money of one owner, in whole cents."""

    def __init__(self, owner, cents):
        self.owner = owner
        self.cents = cents

    def pay(self, amount):
        if amount > self.cents:
            raise ValueError(f"{self.owner} has only {self.cents} cents")
        self.cents -= amount
        return self.cents


def shop(wallet, basket, password):
    bought = []
    for item, price in basket.items():
        try:
            left = wallet.pay(price)
        except ValueError as error:
            print(f"no {item}: {error}")
            continue
        bought.append(item)
        print(f"{item} for {price}, {left} left")
    return bought


basket = {"tea": 250, "cake": 400, "book": 1500}
bought = shop(Wallet("Ada", 1000), basket, password="correct horse")
print("bought:", ", ".join(bought))
