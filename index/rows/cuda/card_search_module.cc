// The module facegate-card-search: what a server opens to search on a card.

#include "face/base/module.h"
#include "index/rows/cuda/faiss_card.h"

FACEGATE_MODULE(facegate::OpenFaissCard);
