"""What a bank says happened: statements as values, and the formats in which banks send them."""
