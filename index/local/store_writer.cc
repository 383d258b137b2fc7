#include "index/local/store_writer.h"

#include <optional>

namespace facegate {

Status StoreWriter::Write(const StoreChange& change, const StopCheck& stop) {
  FACEGATE_RETURN_IF_ERROR(Ask(stop));
  RequestLedger::Writing writing(ledger_, change);
  FACEGATE_RETURN_IF_ERROR(store_.Write(change));
  writing.Done();
  return OkStatus();
}

Status StoreWriter::EraseAnswers(int rounds) {
  for (int i = 0; i < rounds; ++i) {
    FACEGATE_ASSIGN_OR_RETURN(const std::optional<LedgerWork> work, ledger_.NextWork());
    if (!work.has_value()) break;
    FACEGATE_RETURN_IF_ERROR(Write(work->change));
  }
  return OkStatus();
}

Status StoreWriter::DoUpkeep() {
  if (const std::optional<StoreChange> time = ledger_.TimeToKeep()) {
    FACEGATE_RETURN_IF_ERROR(Write(*time));
  }
  return EraseAnswers();
}

}  // namespace facegate
