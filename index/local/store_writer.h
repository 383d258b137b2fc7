#pragma once

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "index/local/request_ledger.h"
#include "index/store/store_change.h"
#include "index/store/template_store.h"

namespace facegate {

// The one who writes to the store. A change is planned first, with what the ledger adds to it; then
// memory is set aside for it; and when it is in the store, nothing that follows can fail.
// Thread-safe.
class StoreWriter {
 public:
  static constexpr int kRoundsAtOnce = 100;  // about a second of work

  // Both must outlive it.
  StoreWriter(TemplateStore& store, RequestLedger& ledger) : store_(store), ledger_(ledger) {}

  // Asks `stop` a last time and writes. No other change of the same owners may be at work.
  Status Write(const StoreChange& change, const StopCheck& stop = {});

  // Forgets and buries requests as far as that is due, some of them in each round. What it deletes
  // must leave the files, also after an error: TemplateStore::erase_pending().
  Status EraseAnswers(int rounds = kRoundsAtOnce);
  // The same, and keeps the ledger's time; to be called every few seconds.
  Status DoUpkeep();

 private:
  TemplateStore& store_;
  RequestLedger& ledger_;
};

}  // namespace facegate
