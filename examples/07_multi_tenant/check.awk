# The tenants' hit ratios beside the scanner: both better than in the shared cache, by 0.05 and more.
/^One LRU/ { gsub(",", ""); shared_search = $(NF - 2); shared_support = $NF }
/^Tenants/ { gsub(",", ""); search = $(NF - 2); support = $NF }
END { exit !(search >= shared_search + 0.05 && support >= shared_support + 0.05) }
