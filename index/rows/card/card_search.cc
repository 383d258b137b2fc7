#include "index/rows/card/card_search.h"

#include <thread>
#include <utility>

#include "face/base/catch.h"
#include "index/rows/card/card_finder.h"
#include "index/rows/card/shared_card.h"
#include "index/rows/follow_thread.h"

namespace facegate {
namespace {

class ThreadedCardSearch final : public CardSearch {
 public:
  ThreadedCardSearch(std::unique_ptr<SearchCard> card, const Options& options)
      : card_(std::make_shared<SharedCard>(std::move(card), options)),
        follow_(std::make_shared<FollowThread>()),
        thread_([shared = card_] { shared->Serve(); }) {}
  ~ThreadedCardSearch() override {
    card_->Close();
    thread_.join();
  }

  std::shared_ptr<RowFinder> MakeFinder(size_t dimension) override {
    return MakeCardFinder(dimension, card_, follow_);
  }
  std::string name() const override { return card_->name(); }
  Counts counts() const override { return card_->counts(); }
  void AwaitIdle() override { follow_->AwaitIdle(); }

 private:
  const std::shared_ptr<SharedCard> card_;
  const std::shared_ptr<FollowThread> follow_;
  std::thread thread_;
};

}  // namespace

StatusOr<std::unique_ptr<CardSearch>> CardSearch::Start(std::unique_ptr<SearchCard> card,
                                                        const Options& options) {
  return CatchToStatus("searching on a card", [&]() -> StatusOr<std::unique_ptr<CardSearch>> {
    return std::make_unique<ThreadedCardSearch>(std::move(card), options);
  });
}

}  // namespace facegate
