package account

import (
	"math/big"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

// Order is what the examples read of an order. Amounts are decimal strings, which a big.Rat reads and float64 would round.
type Order struct {
	OrderID       string                   `json:"order_id"`
	Status        cardseal.OrderStatus     `json:"status"`
	IssueStatus   cardseal.CardIssueStatus `json:"issue_status"`
	CardID        string                   `json:"card_id"`
	BalanceBefore big.Rat                  `json:"balance_before"`
	BalanceAfter  big.Rat                  `json:"balance_after"`
	LastError     string                   `json:"last_error"`
}

// Card is what they read of a card.
type Card struct {
	MaskedNumber string              `json:"masked_number"`
	Status       cardseal.CardStatus `json:"provider_card_status"`
	Balance      string              `json:"balance"`
	Currency     string              `json:"currency"`
}

// User is what they read of a user.
type User struct {
	ExternalUserID string `json:"external_user_id"`
}

// Products are the cards that can be ordered.
type Products struct {
	Products []Product `json:"products"`
}

// Product is what they read of one of them.
type Product struct {
	Code            string `json:"product_code"`
	SubproviderCode string `json:"subprovider_code"`
	IsActive        bool   `json:"is_active"`
}

// Cardholder is what they read of a cardholder.
type Cardholder struct {
	ID                 string                                `json:"cardholder_id"`
	RegistrationStatus cardseal.CardholderRegistrationStatus `json:"registration_status"`
	KycStatus          cardseal.CardholderKycStatus          `json:"kyc_status"`
	KycLevel           cardseal.CardholderKycLevel           `json:"kyc_level"`
}
