"""The configuration in force: copies of the site that were proven, which every worker serves from.

    site ──▶ copy in RECEIVER_DATA/configuration/ ──▶ proven? ──▶ state.json names it ──▶ workers take it over
                                                      └──▶ state.json says what keeps it back

What is proven is what is served, also where somebody edits the site meanwhile, and a worker that is replaced after a
crash starts with what its neighbours have.
"""
