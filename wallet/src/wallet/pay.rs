//! Paying: coins are chosen and signed for, kept in the outbox, handed to hosts in turn until one
//! carries the payment through, and proven.

use std::time::Duration;

use ledger::tx::draft::Coin;
use ledger::tx::{Body, Kind, Lock, Output, sign};
use primitives::Digest;
use primitives::codec::{self, Bytes, List};
use primitives::keys::{PublicKey, Signer};
use primitives::units::{Amount, Height};
use tokio::time::{Instant, sleep, timeout};
use wallet_proto::Request;
use wallet_proto::check::{self, SettledTransaction};
use wallet_proto::proof_file::Claim;
use wallet_proto::reply::{Answer, Code, Refusal, Stage, Step};
use wallet_proto::request::Report;

use super::balance::{decode, sum};
use super::{PASS_PAUSE, Wallet, passes_by, worse};
use crate::coins::select;
use crate::error::Error;
use crate::keys::secret_key;

/// What is to be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    /// The receiver.
    pub to: PublicKey,
    /// How much.
    pub amount: Amount,
    /// The fee; the chain's least one if none is given.
    pub fee: Option<Amount>,
    /// The peer key whose stake the paid coin counts as.
    pub host: Option<PublicKey>,
    /// The digest of something that belongs to the payment.
    pub memo: Option<Digest>,
    /// The last height that may apply it.
    pub valid_until: Option<Height>,
}

impl Payment {
    /// `amount` for `to`, at the least fee.
    #[must_use]
    pub const fn new(to: PublicKey, amount: Amount) -> Self {
        Self {
            to,
            amount,
            fee: None,
            host: None,
            memo: None,
            valid_until: None,
        }
    }
}

/// A signed payment in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The transaction's id.
    pub id: Digest,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// What is paid.
    pub amount: Amount,
    /// The fee.
    pub fee: Amount,
    /// What the wallet has left once it is applied.
    pub remains: Amount,
}

/// A payment that is proven to have been applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// The transaction in its block.
    pub settled: SettledTransaction,
    /// The bytes of a proof file for it.
    pub proof: Vec<u8>,
}

/// What hears of each stage, and how long after the payment was sent. All stages but the last are
/// the host's claims; [`Stage::Proven`] comes once the wallet itself has checked the proof.
pub type OnStage<'a> = &'a mut (dyn FnMut(&Stage, Duration) + Send);

impl Wallet {
    /// Prepares and sends a payment, within `limit`.
    ///
    /// # Errors
    /// As [`Wallet::prepare`] and [`Wallet::send`].
    pub async fn pay(
        &mut self,
        payment: &Payment,
        limit: Duration,
        on_stage: OnStage<'_>,
    ) -> Result<Paid, Error> {
        let prepared = self.prepare(payment).await?;
        self.send(&prepared, limit, on_stage).await
    }

    /// Chooses proven coins for a payment, signs it and puts it into the outbox; sends nothing.
    ///
    /// # Errors
    /// [`Error::Insufficient`]; [`Error::FeeTooLow`]; the last host's failure where none proves the
    /// coins.
    pub async fn prepare(&mut self, payment: &Payment) -> Result<Prepared, Error> {
        payment.to.to_verifying()?;
        let paid = Output {
            owner: payment.to,
            amount: payment.amount,
            host: payment.host,
            lock: Lock::None,
        };
        let body = Body {
            memo: payment.memo,
            valid_until: payment.valid_until,
            ..Body::of(Kind::Transfer)
        };
        self.enqueue(body, vec![paid], payment.fee, |_| Ok(()))
            .await
    }

    /// Pays for these outputs and the fee with proven coins, signs `body` and puts it into the outbox
    /// once `keep` has stored what must not be lost.
    ///
    /// # Errors
    /// As [`Wallet::prepare`]; those of `keep`.
    pub(super) async fn enqueue(
        &mut self,
        body: Body,
        outputs: Vec<Output>,
        fee: Option<Amount>,
        keep: impl FnOnce(&Prepared) -> Result<(), Error>,
    ) -> Result<Prepared, Error> {
        let fee = self.fee(fee)?;
        self.balance().await?;
        self.home.change_outbox(|outbox| {
            let prepared = self.fund(body, outputs, fee, &self.free_coins(outbox)?)?;
            keep(&prepared)?;
            outbox.push(prepared.bytes.clone());
            Ok(prepared)
        })
    }

    /// Carries a prepared payment through: hands it to one host after the other until it is proven.
    ///
    /// # Errors
    /// [`Error::Rejected`] with the reason and the winner, proven; [`Error::TimedOut`] after
    /// `limit`, with the payment still in the outbox; the last host's failure where none takes it.
    pub async fn send(
        &mut self,
        prepared: &Prepared,
        limit: Duration,
        on_stage: OnStage<'_>,
    ) -> Result<Paid, Error> {
        let carried = timeout(limit, self.carry(prepared, on_stage)).await;
        let (settled, answer) = carried.unwrap_or(Err(Error::TimedOut {
            awaited: "the proof of the payment",
            seconds: limit.as_secs(),
        }))?;
        if !settled.outcome.is_applied() {
            self.forget(&prepared.id)?;
            return Err(Error::Rejected {
                id: prepared.id,
                outcome: settled.outcome,
            });
        }
        let claim = Claim::Transaction { id: prepared.id };
        let proof = self.proof_file(claim, answer)?;
        Ok(Paid { settled, proof })
    }

    /// The fee asked for, or the chain's least one.
    pub(super) fn fee(&self, asked: Option<Amount>) -> Result<Amount, Error> {
        let wanted = self.genesis.parameters.fee_min;
        let found = asked.unwrap_or(wanted);
        if found < wanted {
            return Err(Error::FeeTooLow { found, wanted });
        }
        Ok(found)
    }

    /// Signs `body` with coins that pay for these outputs and the fee; the rest comes back.
    fn fund(
        &self,
        body: Body,
        mut outputs: Vec<Output>,
        fee: Amount,
        free: &[Coin],
    ) -> Result<Prepared, Error> {
        let amount = Amount::sum(outputs.iter().map(|output| output.amount))?;
        let (available, wanted) = (sum(free)?, amount.plus(fee)?);
        let Some(inputs) = select(free, wanted) else {
            let proven: Vec<Coin> = self.book.unspent().collect();
            let pending = sum(&proven)?.minus(available)?;
            return Err(Error::Insufficient {
                available,
                wanted,
                pending,
            });
        };
        let change = sum(&inputs)?.minus(wanted)?;
        if change > Amount::ZERO {
            outputs.push(Output {
                // Paying must not take away stake by the way.
                host: inputs.iter().find_map(|coin| coin.output.host),
                ..Output::new(self.key, change)
            });
        }
        let own = outputs.iter().filter(|output| output.owner == self.key);
        let kept = Amount::sum(own.map(|output| output.amount))?;
        let body = Body {
            inputs: List::new(inputs.iter().map(|coin| coin.outpoint).collect())?,
            outputs: List::new(outputs)?,
            ..body
        };
        let secret = secret_key(&self.seed)?;
        let transaction = sign(body, &[&secret as &dyn Signer], self.trust.chain())?;
        Ok(Prepared {
            id: transaction.id(self.trust.chain())?,
            bytes: codec::encode(&transaction)?,
            amount,
            fee,
            remains: available.minus(sum(&inputs)?)?.plus(kept)?,
        })
    }

    /// Goes from host to host until one brings the payment to a block, then has that proven.
    async fn carry(
        &mut self,
        prepared: &Prepared,
        on_stage: OnStage<'_>,
    ) -> Result<(SettledTransaction, Answer), Error> {
        let start = Instant::now();
        let (mut worst, mut reported, mut failures) = (Error::NoHosts, Grade::None, 0);
        while failures < self.hosts.count() {
            let before = reported;
            let mut report = |stage: &Stage| {
                if Grade::of(stage) > reported {
                    reported = Grade::of(stage);
                    on_stage(stage, start.elapsed());
                }
            };
            match self.watch(&prepared.bytes, &mut report).await {
                Ok(()) => {
                    let proven = self.settled(&prepared.id).await?;
                    let height = proven.0.header.height;
                    on_stage(&Stage::Proven { height }, start.elapsed());
                    return Ok(proven);
                }
                Err(error) if error.another_host_may_help() => {
                    let passing = passes_by(&error) || matches!(error, Error::Silent { .. });
                    failures = if passing || reported > before {
                        0
                    } else {
                        failures.saturating_add(1)
                    };
                    worst = worse(worst, error);
                    self.hosts.turn();
                    sleep(PASS_PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
        if is_hopeless(&worst) {
            self.forget(&prepared.id)?;
        }
        Err(worst)
    }

    /// Hands the payment to the host in use and reports its claims until it claims a block.
    async fn watch(
        &mut self,
        bytes: &[u8],
        report: &mut (dyn FnMut(&Stage) + Send),
    ) -> Result<(), Error> {
        let request = Request::Submit {
            transactions: List::new(vec![Bytes::new(bytes.to_vec())?])?,
            report: Report::All,
        };
        let (mut refused, mut in_block): (Option<Refusal>, bool) = (None, false);
        let mut on_step = |step: &Step| match &step.stage {
            Stage::Refused { refusal } => {
                refused = Some(refusal.clone());
                false
            }
            Stage::Proven { .. } => {
                in_block = true;
                false
            }
            stage @ (Stage::Seen | Stage::Endorsed | Stage::Official | Stage::Final { .. }) => {
                in_block |= matches!(stage, Stage::Final { .. });
                report(stage);
                true
            }
        };
        let ended = self.hosts.steps(&request, &mut on_step).await;
        if in_block {
            return Ok(());
        }
        let host = ended?.key;
        Err(match refused {
            Some(refusal) => Error::HostRefuses { host, refusal },
            None => Error::Silent { host },
        })
    }

    /// The proven outcome of a transaction that a host claims to be in a block.
    async fn settled(&mut self, id: &Digest) -> Result<(SettledTransaction, Answer), Error> {
        let request = Request::Transaction { id: *id };
        let check = |answer: &Answer, trust: &_| {
            check::transaction(id, answer, trust).map(|settled| (settled, answer.clone()))
        };
        loop {
            match self.ask(&request, check).await {
                // The caller's limit ends this, if no host ever has it.
                Err(Error::HostRefuses { refusal, .. }) if refusal.code == Code::NotFound => {
                    sleep(PASS_PAUSE).await;
                }
                other => return other,
            }
        }
    }

    fn forget(&self, id: &Digest) -> Result<(), Error> {
        self.home.change_outbox(|outbox| {
            let mut kept = Vec::with_capacity(outbox.len());
            for bytes in outbox.drain(..) {
                if decode(&bytes)?.id(self.trust.chain())? != *id {
                    kept.push(bytes);
                }
            }
            *outbox = kept;
            Ok(())
        })
    }
}

/// How far a host claims a payment to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grade {
    None,
    Seen,
    Endorsed,
    Official,
    Final,
    Proven,
}

impl Grade {
    const fn of(stage: &Stage) -> Self {
        match stage {
            Stage::Refused { .. } => Self::None,
            Stage::Seen => Self::Seen,
            Stage::Endorsed => Self::Endorsed,
            Stage::Official => Self::Official,
            Stage::Final { .. } => Self::Final,
            Stage::Proven { .. } => Self::Proven,
        }
    }
}

/// Whether every host says that the payment can never be applied.
fn is_hopeless(error: &Error) -> bool {
    let code = error.refusal_code();
    matches!(code, Some(Code::Invalid | Code::Malformed))
}
